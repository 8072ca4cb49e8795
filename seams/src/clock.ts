/** A timer that was set on a {@link Clock}. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Where time comes from. Wall time is for humans and certificates and may jump; every lease, time-out and
 * interval is judged by monotonic time.
 */
export interface Clock {
  /** Wall time, milliseconds since 1970-01-01T00:00:00Z. */
  wallMs(): number;
  /** Monotonic time in milliseconds from an arbitrary origin; never goes back. */
  monotonicMs(): number;
  /**
   * Calls `callback` once, `delayMs` from now (0 or less: as soon as possible).
   * The timer keeps the process alive unless `background` is set (default false).
   */
  setTimer(delayMs: number, callback: () => void, options?: { background?: boolean }): Timer;
}

/** setTimeout's own limit; a longer delay would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The clock of the machine. Delays over 2³¹−1 ms (24.8 days) are cut to that. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback, options) {
    const timeout = setTimeout(callback, Math.min(delayMs, MAX_TIMEOUT_MS));
    if (options?.background === true) timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
