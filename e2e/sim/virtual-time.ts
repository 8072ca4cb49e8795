import type { Clock, Timer } from '@hawser/seams';
import TinyQueue from 'tinyqueue';

interface Event {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * Time that passes as fast as what happens in it: the next timer is always due. Callbacks run one at a time, in
 * order of time, then of setting; whatever they resolve has run before the next one.
 */
export class VirtualTime implements Clock {
  readonly #events = new TinyQueue<Event>(
    [],
    (one, other) => one.dueMs - other.dueMs || one.order - other.order,
  );
  #nowMs = 0;
  #order = 0;
  /** Callbacks that have run: what a simulation costs. */
  fired = 0;

  wallMs(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const event: Event = {
      dueMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order,
      callback,
      cancelled: false,
    };
    this.#order += 1;
    this.#events.push(event);
    return {
      cancel: () => {
        event.cancelled = true;
      },
    };
  }

  /** Resolves after so much virtual time. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.setTimer(delayMs, resolve));
  }

  /**
   * Lets time pass for `spanMs`, or until `done` says so, which is asked whenever `everyMs` have passed (default 20).
   * Answers whether it did.
   */
  async run(spanMs: number, done: () => boolean = () => false, everyMs = 20): Promise<boolean> {
    const untilMs = this.#nowMs + spanMs;
    let askMs = this.#nowMs;
    await settled();
    for (let next = this.#next(); next !== undefined && next.dueMs <= untilMs; next = this.#next()) {
      if (next.dueMs >= askMs) {
        if (done()) return true;
        askMs = next.dueMs + everyMs;
      }
      this.#events.pop();
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.fired += 1;
      next.callback();
      await settled();
    }
    if (done()) return true;
    this.#nowMs = untilMs;
    return false;
  }

  /** The next one that was not cancelled. */
  #next(): Event | undefined {
    for (let next = this.#events.peek(); next?.cancelled === true; next = this.#events.peek())
      this.#events.pop();
    return this.#events.peek();
  }
}

/** A clock of one process: once it is dead nothing that it had set happens any more. */
export class MortalClock implements Clock {
  readonly #time: Clock;
  #dead = false;

  constructor(time: Clock) {
    this.#time = time;
  }

  get dead(): boolean {
    return this.#dead;
  }

  wallMs(): number {
    return this.#time.wallMs();
  }

  monotonicMs(): number {
    return this.#time.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#time.setTimer(delayMs, () => {
      if (!this.#dead) callback();
    });
  }

  die(): void {
    this.#dead = true;
  }
}

/** Lets everything that is already resolved run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
