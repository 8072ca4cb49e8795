import type { Clock } from '@hawser/seams';

/** How much may be done: `perSecond` in the long run, `burst` at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A token bucket that may be overdrawn. Unlike kube's `BucketLimiter` it can be looked at without taking. */
export class TokenBucket {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #tokens: number;
  #countedMs: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#countedMs = clock.monotonicMs();
  }

  /** Tokens in it; negative when overdrawn. */
  get tokens(): number {
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#countedMs) / 1000) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + earned);
    this.#countedMs = nowMs;
    return this.#tokens;
  }

  /** Whether nothing was taken for so long that a new bucket would be the same. */
  get isFull(): boolean {
    return this.tokens >= this.#rate.burst;
  }

  /** Milliseconds until a token can be taken without overdrawing. */
  get waitMs(): number {
    return this.waitLeaving(0);
  }

  /** Milliseconds until a token can be taken and so many are left. */
  waitLeaving(left: number): number {
    const missing = 1 + left - this.tokens;
    return missing <= 0 ? 0 : Math.ceil((missing / this.#rate.perSecond) * 1000);
  }

  /** Takes tokens, also such as will only come; never deeper than one burst below zero. */
  take(count = 1): void {
    this.#tokens = Math.max(-this.#rate.burst, this.tokens - count);
  }
}
