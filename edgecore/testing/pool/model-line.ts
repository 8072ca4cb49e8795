import type { Clock } from '@hawser/seams';

/** The way between one node and the modelled cloud: while it is cut what is sent waits, and arrives when it is healed. */
export class ModelLine {
  readonly #clock: Clock;
  readonly #latencyMs: number;
  readonly #held: (() => void)[] = [];
  #cut = false;

  constructor(clock: Clock, latencyMs: number) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  get isCut(): boolean {
    return this.#cut;
  }

  /** Delivers after a moment, once there is a way. */
  carry(deliver: () => void): void {
    this.#clock.setTimer(this.#latencyMs, () => {
      if (this.#cut) this.#held.push(deliver);
      else deliver();
    });
  }

  cut(): void {
    this.#cut = true;
  }

  heal(): void {
    this.#cut = false;
    // Before all that is still on its way: what is sent in order arrives in order.
    for (const deliver of this.#held.splice(0)) this.#clock.setTimer(0, deliver);
  }

  /** What waits is lost. */
  drop(): void {
    this.#held.length = 0;
  }
}
