import { delay } from '../src/delay.ts';

/**
 * Waits until `condition` returns true (or a promise of it), looking every `intervalMs` (default 10).
 * @throws Error naming `what` when `deadlineMs` (default 5000) has passed.
 */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  options: { deadlineMs?: number; intervalMs?: number } = {},
): Promise<void> {
  const { deadlineMs = 5000, intervalMs = 10 } = options;
  const startedMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedMs > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(intervalMs);
  }
}

/**
 * The promise's value, if it settles within `deadlineMs` (default 5000).
 * @throws Error naming `what` otherwise; the promise itself goes on.
 */
export async function within<T>(what: string, promise: Promise<T>, deadlineMs = 5000): Promise<T> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      promise,
      delay(deadlineMs, { signal: timer.signal }).then(() => {
        throw new Error(`not within ${deadlineMs} ms: ${what}`);
      }),
    ]);
  } finally {
    promise.catch(() => {}); // a late failure has no listener any more
    timer.abort();
  }
}
