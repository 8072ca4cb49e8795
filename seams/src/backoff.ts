import { systemRandom, type Random } from './random.ts';

/** Settings of {@link Backoff}; all times in milliseconds. */
export interface BackoffOptions {
  /** Upper bound of the first delay. */
  baseMs: number;
  /** Upper bound of every delay; it can be changed while running. */
  capMs: number;
  /** Where jitter comes from. Default: the system's randomness. */
  random?: Random;
}

/**
 * Exponential back-off with full jitter: delay = random(0, min(cap, base · 2ⁿ)). Many clients that failed
 * together come back spread out, and one client comes back soon.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #random: Random;
  #capMs: number;
  #attempts = 0;

  constructor(options: BackoffOptions) {
    this.#baseMs = options.baseMs;
    this.#capMs = options.capMs;
    this.#random = options.random ?? systemRandom;
  }

  /** Failures since the last reset. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The present upper bound of a delay, in milliseconds. */
  get capMs(): number {
    return this.#capMs;
  }

  set capMs(value: number) {
    this.#capMs = value;
  }

  /** The delay before the next attempt, in milliseconds; each call counts one failure more. */
  nextMs(): number {
    const ceiling = Math.min(this.#capMs, this.#baseMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return this.#random.next() * ceiling;
  }

  /** Forgets the failures: the next delay is a first one. */
  reset(): void {
    this.#attempts = 0;
  }
}
