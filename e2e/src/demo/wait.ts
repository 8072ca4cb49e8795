import { delay } from '@hawser/seams';

const LOOK_EVERY_MS = 10;
const DEADLINE_MS = 30_000;

/**
 * Waits until something is so; answers how long that took, milliseconds.
 * @param options deadlineMs default 30,000; everyMs, between two looks, default 10
 * @throws Error when it was not so in time; `signal.reason`
 */
export async function waitUntil(
  what: string,
  signal: AbortSignal,
  is: () => Promise<boolean>,
  options: { readonly deadlineMs?: number; readonly everyMs?: number } = {},
): Promise<number> {
  const { deadlineMs = DEADLINE_MS, everyMs = LOOK_EVERY_MS } = options;
  const startedMs = performance.now();
  while (!(await is())) {
    if (performance.now() - startedMs > deadlineMs)
      throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await delay(everyMs, { signal });
  }
  return Math.round(performance.now() - startedMs);
}

/** `12 ms`. */
export function since(startedMs: number): string {
  return `${Math.round(performance.now() - startedMs)} ms`;
}
