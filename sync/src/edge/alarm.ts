import type { Clock, Timer } from '@hawser/seams';

/** One timer for many dates: rings at the earliest one that it was set to since it last rang. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: Timer | undefined;
  #dueMs = Infinity;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at this monotonic time, or earlier if it is set to that already. */
  setAt(dueMs: number): void {
    if (dueMs >= this.#dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    // Whole milliseconds, rounded up: a timer that rang a fraction early would find nothing due.
    this.#timer = this.#clock.setTimer(Math.ceil(dueMs - this.#clock.monotonicMs()), () => {
      this.#timer = undefined;
      this.#dueMs = Infinity;
      this.#ring();
    });
  }

  /** Does not ring any more, until it is set again. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs = Infinity;
  }
}
