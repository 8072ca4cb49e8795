import type { Clock, Timer } from '@hawser/seams';

const SLOT_MS = 100;
/** A turn takes a minute: most periods are shorter. What is due later is passed by until its turn. */
const SLOTS = 600;

/** Something that is due at a time. */
interface Entry {
  readonly tick: number;
  readonly callback: () => void;
}

/**
 * Many timers over one of the clock's, in steps of 100 ms: what is due at about the same time wakes the process once,
 * and setting or cancelling one costs the same for three as for three thousand.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: (Set<Entry> | undefined)[] = new Array<Set<Entry> | undefined>(SLOTS);
  #count = 0;
  /** The last tick whose entries were called. */
  #passed = -1;
  #timer: Timer | undefined;
  /** What {@link #timer} is set to. */
  #armed = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back once, `delayMs` from now or up to 100 ms later. */
  set(delayMs: number, callback: () => void): Timer {
    const now = this.#clock.monotonicMs();
    if (this.#count === 0) this.#passed = Math.floor(now / SLOT_MS) - 1;
    const tick = Math.max(Math.ceil((now + Math.max(delayMs, 0)) / SLOT_MS), this.#passed + 1);
    const entry: Entry = { tick, callback };
    const at = tick % SLOTS;
    const slot = (this.#slots[at] ??= new Set());
    slot.add(entry);
    this.#count += 1;
    if (tick < this.#armed) this.#arm(tick);
    return {
      cancel: () => {
        if (!slot.delete(entry)) return;
        this.#count -= 1;
        if (this.#count === 0) this.#disarm();
      },
    };
  }

  /** Entries that are not due yet. */
  get size(): number {
    return this.#count;
  }

  #arm(tick: number): void {
    this.#timer?.cancel();
    this.#armed = tick;
    const delayMs = tick * SLOT_MS - this.#clock.monotonicMs();
    this.#timer = this.#clock.setTimer(Math.max(delayMs, 0), () => this.#turn(), { background: true });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armed = Infinity;
  }

  /** Calls what is due, and goes on to the next slot that has something in it. */
  #turn(): void {
    this.#timer = undefined;
    this.#armed = Infinity;
    // Timers may come a fraction of a millisecond early.
    const now = Math.floor((this.#clock.monotonicMs() + 1) / SLOT_MS);
    const from = Math.max(this.#passed + 1, now - SLOTS + 1);
    this.#passed = now;
    const due: Entry[] = [];
    for (let tick = from; tick <= now; tick++) {
      for (const entry of this.#slots[tick % SLOTS] ?? []) if (entry.tick <= now) due.push(entry);
    }
    // All of them are taken out before one is called: it may set others.
    for (const entry of due) this.#slots[entry.tick % SLOTS]?.delete(entry);
    this.#count -= due.length;
    for (const { callback } of due) callback();
    this.#goOn(now);
  }

  #goOn(now: number): void {
    if (this.#count === 0) return;
    for (let tick = now + 1; tick <= now + SLOTS; tick++) {
      const slot = this.#slots[tick % SLOTS];
      if (slot === undefined || slot.size === 0) continue;
      if (tick < this.#armed) this.#arm(tick);
      return;
    }
  }
}
