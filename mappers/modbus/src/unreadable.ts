import type { Clock } from '@hawser/seams';

/** How long something that a device would not read is let be before it is tried again, milliseconds. */
const BAD_MS = 30_000;
/** Likewise, where the device said that it failed: that passes. */
const FAILED_MS = 5000;
/** How long two things that could not be read in one request are read in two. */
const CUT_MS = 600_000;
const DEVICE_FAILURE = 4;

/**
 * What a device would not read, so that not each cycle begins with finding out again.
 * Keys are objects of the SDK that last for as long as a device's configuration: nothing has to be cleared away.
 */
export class Unreadable<K extends object> {
  readonly #clock: Clock;
  readonly #bad = new WeakMap<K, { readonly error: Error; readonly untilMs: number }>();
  readonly #cuts = new WeakMap<K, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Why it is not read now. */
  reason(key: K): Error | undefined {
    const bad = this.#bad.get(key);
    return bad !== undefined && bad.untilMs > this.#clock.monotonicMs() ? bad.error : undefined;
  }

  /** It could not be read alone. */
  refused(key: K, error: Error, code: number): void {
    const ms = code === DEVICE_FAILURE ? FAILED_MS : BAD_MS;
    this.#bad.set(key, { error, untilMs: this.#clock.monotonicMs() + ms });
  }

  /** Whether it is to be read in a request of its own, without what is before it. */
  isCut(key: K): boolean {
    return (this.#cuts.get(key) ?? -Infinity) > this.#clock.monotonicMs();
  }

  /** It can be read, and so can what is before it, but not in one request. */
  cut(key: K): void {
    this.#cuts.set(key, this.#clock.monotonicMs() + CUT_MS);
  }
}
