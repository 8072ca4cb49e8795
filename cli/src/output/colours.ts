/** Paints texts, or leaves them as they are. */
export interface Colours {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly doubtful: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

const plain = (text: string): string => text;
const painted =
  (code: number) =>
  (text: string): string =>
    `\x1b[${code}m${text}\x1b[0m`;

/** No colours at all. */
export const NO_COLOURS: Colours = { good: plain, bad: plain, doubtful: plain, dim: plain, bold: plain };

const ANSI: Colours = {
  good: painted(32),
  bad: painted(31),
  doubtful: painted(33),
  dim: painted(2),
  bold: painted(1),
};

/**
 * Colours where somebody looks at them: on a terminal, unless the environment says no.
 * Source: https://no-color.org (NO_COLOR, any value that is not empty).
 */
export function coloursFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Colours {
  const wanted = stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return wanted ? ANSI : NO_COLOURS;
}
