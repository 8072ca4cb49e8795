import { systemClock, type Clock } from '@hawser/seams';

/** Lets through `perSecond` on average, and a quarter of a second's worth at once. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, clock: Clock = systemClock) {
    this.#perMs = perSecond / 1000;
    this.#burst = Math.max(16, Math.ceil(perSecond / 4));
    this.#clock = clock;
    this.#tokens = this.#burst;
    this.#at = clock.monotonicMs();
  }

  /** @returns 0: one was taken; else the time until there is one, in ms */
  take(): number {
    const now = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return 0;
    }
    return (1 - this.#tokens) / this.#perMs;
  }
}
