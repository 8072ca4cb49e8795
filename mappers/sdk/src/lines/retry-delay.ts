import type { Random } from '@hawser/seams';

/** Bounds of the time between attempts, milliseconds. */
export interface RetryBounds {
  readonly baseMs: number;
  readonly capMs: number;
}

/** Of connections, of devices that do not answer, and of writes. */
export const RETRY_BOUNDS: RetryBounds = { baseMs: 500, capMs: 60_000 };

/**
 * The time before the next attempt: between half and the whole of base · 2ⁿ, up to the cap. Never near zero: an attempt
 * at a dead device costs the others on its line a time-out.
 * @param failures so far, at least 1
 */
export function retryDelayMs(failures: number, random: Random, bounds: RetryBounds = RETRY_BOUNDS): number {
  const ceiling = Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30));
  return ceiling * (0.5 + random.next() / 2);
}
