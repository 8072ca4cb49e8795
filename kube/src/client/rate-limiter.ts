import { systemClock, type Clock } from '@hawser/seams';

/** Says how long a key has to wait before it is tried again. Source: client-go util/workqueue RateLimiter. */
export interface RateLimiter<K> {
  /** Counts one failure of the key, returns its delay in milliseconds. */
  whenMs(key: K): number;
  /** The key has succeeded, or is given up: its failures are forgotten. */
  forget(key: K): void;
  /** Failures of the key since it was forgotten. */
  failures(key: K): number;
}

/** Settings of {@link FailureLimiter}. */
export interface FailureLimiterOptions {
  /** Delay after the first failure, milliseconds. Default 5. */
  readonly baseMs?: number;
  /** Longest delay, milliseconds. Default 1000000 (16.7 minutes). */
  readonly capMs?: number;
}

/** Each key by itself: base · 2ⁿ, up to a cap. No jitter, so that a key's next try is predictable. */
export class FailureLimiter<K> implements RateLimiter<K> {
  readonly #baseMs: number;
  readonly #capMs: number;
  readonly #failures = new Map<K, number>();

  constructor(options: FailureLimiterOptions = {}) {
    this.#baseMs = options.baseMs ?? 5;
    this.#capMs = options.capMs ?? 1_000_000;
  }

  whenMs(key: K): number {
    const before = this.#failures.get(key) ?? 0;
    this.#failures.set(key, before + 1);
    return Math.min(this.#capMs, this.#baseMs * 2 ** Math.min(before, 60));
  }

  forget(key: K): void {
    this.#failures.delete(key);
  }

  failures(key: K): number {
    return this.#failures.get(key) ?? 0;
  }
}

/** Settings of {@link BucketLimiter}. */
export interface BucketLimiterOptions {
  /** Tries per second in the long run. Default 10. */
  readonly perSecond?: number;
  /** Tries at once after a pause. Default 100. */
  readonly burst?: number;
  readonly clock?: Clock;
}

/** All keys together: a token bucket, whose tokens can be taken in advance. Source: golang.org/x/time/rate Reserve. */
export class BucketLimiter<K> implements RateLimiter<K> {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #countedMs: number;

  constructor(options: BucketLimiterOptions = {}) {
    this.#perSecond = options.perSecond ?? 10;
    this.#burst = options.burst ?? 100;
    this.#clock = options.clock ?? systemClock;
    this.#tokens = this.#burst;
    this.#countedMs = this.#clock.monotonicMs();
  }

  whenMs(): number {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#countedMs) / 1000) * this.#perSecond);
    this.#countedMs = nowMs;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  forget(): void {}

  failures(): number {
    return 0;
  }
}

/** The longest of several limiters' delays. */
export class MaxLimiter<K> implements RateLimiter<K> {
  readonly #limiters: readonly RateLimiter<K>[];

  constructor(...limiters: readonly RateLimiter<K>[]) {
    this.#limiters = limiters;
  }

  whenMs(key: K): number {
    return this.#limiters.reduce((longest, limiter) => Math.max(longest, limiter.whenMs(key)), 0);
  }

  forget(key: K): void {
    for (const limiter of this.#limiters) limiter.forget(key);
  }

  failures(key: K): number {
    return this.#limiters.reduce((most, limiter) => Math.max(most, limiter.failures(key)), 0);
  }
}

/** The usual one: 5 ms · 2ⁿ up to 1000 s for each key, and 10 a second (burst 100) for all together. */
export function defaultRateLimiter<K>(clock?: Clock): RateLimiter<K> {
  return new MaxLimiter<K>(new FailureLimiter(), new BucketLimiter(clock === undefined ? {} : { clock }));
}
