import type { Clock, Timer } from '../src/clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Settings of {@link FakeClock}. */
export interface FakeClockOptions {
  /** Wall time at the start, milliseconds since the epoch. Default: 2026-01-01T00:00:00Z. */
  wallMs?: number;
}

/** A {@link Clock} that stands still until a test moves it. Timers fire in order of due time, then of setting. */
export class FakeClock implements Clock {
  readonly #pending = new Set<Pending>();
  #nowMs = 0;
  #wallOffsetMs: number;
  #order = 0;

  constructor(options: FakeClockOptions = {}) {
    this.#wallOffsetMs = options.wallMs ?? Date.UTC(2026, 0, 1);
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const pending = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  /** Timers set and not yet fired or cancelled: a leak check for tests. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Makes the wall clock jump, as a wrong RTC or an NTP step does; monotonic time goes on undisturbed. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /**
   * Moves time forward, firing what falls due, and lets promises settle after each firing.
   * Timers that callbacks set within the span fire too.
   */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await settle();
    for (let next = this.#earliest(untilMs); next !== undefined; next = this.#earliest(untilMs)) {
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  #earliest(untilMs: number): Pending | undefined {
    let earliest: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs > untilMs) continue;
      if (
        earliest === undefined ||
        pending.dueMs < earliest.dueMs ||
        (pending.dueMs === earliest.dueMs && pending.order < earliest.order)
      ) {
        earliest = pending;
      }
    }
    return earliest;
  }
}

/** Lets everything that is already resolved run: one turn of the event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
