/** Whether the long versions of tests were asked for (`npm run soak`). */
export const soaking: boolean = process.env['HAWSER_SOAK'] === '1';

/** `short` in `npm test`, `long` in `npm run soak`. */
export function scaled(short: number, long: number): number {
  return soaking ? long : short;
}
