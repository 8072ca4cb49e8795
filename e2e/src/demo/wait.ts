import { delay } from '@hawser/seams';

const LOOK_EVERY_MS = 5;
const DEADLINE_MS = 20_000;

/** Waits until something is so; answers how long that took, milliseconds. @throws Error after 20 s; `signal.reason` */
export async function waitUntil(
  what: string,
  signal: AbortSignal,
  is: () => Promise<boolean>,
): Promise<number> {
  const startedMs = performance.now();
  while (!(await is())) {
    if (performance.now() - startedMs > DEADLINE_MS) throw new Error(`not within 20 s: ${what}`);
    await delay(LOOK_EVERY_MS, { signal });
  }
  return Math.round(performance.now() - startedMs);
}
