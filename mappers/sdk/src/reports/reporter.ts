import { deferred, systemClock, type Clock, type Timer } from '@hawser/seams';
import type { MapperBus } from '../bus/mapper-bus.ts';
import type { MapperStats } from '../metrics/mapper-stats.ts';

/** A message as it goes to the bus. */
export interface BusText {
  readonly topic: string;
  readonly payload: string;
}

/** Who has something to say, and keeps it until it is asked: a device. Values that came meanwhile replace older ones. */
export interface Speaker {
  /** @returns undefined: nothing any more */
  nextMessage(messageId: () => string, stateRefreshMs: number): BusText | undefined;
}

/** Settings of {@link Reporter}. */
export interface ReporterOptions {
  readonly bus: MapperBus;
  readonly stats: MapperStats;
  readonly clock?: Clock;
  /** Shortest time between messages of one speaker, milliseconds; what comes meanwhile goes together. Default 20. */
  readonly spacingMs?: number;
  /** Messages that may wait for their acknowledgement. Default 64. */
  readonly window?: number;
  /** How often a state is said again that did not change, milliseconds. Default 30,000. */
  readonly stateRefreshMs?: number;
}

interface Turn {
  /** Monotonic. */
  notBeforeMs: number;
  waiting: boolean;
}

/**
 * Brings to the bus what devices have to say. What waits is in the devices, latest value of each property: a bus that is slow,
 * or away, costs no memory. The order among devices is that in which they had news.
 */
export class Reporter {
  readonly #options: Required<ReporterOptions>;
  readonly #queue = new Set<Speaker>();
  readonly #turns = new WeakMap<Speaker, Turn>();
  readonly #timers = new Map<Speaker, Timer>();
  #inFlight = 0;
  #scheduled = false;
  #messages = 0;
  #idle: (() => void) | undefined;

  constructor(options: ReporterOptions) {
    this.#options = { clock: systemClock, spacingMs: 20, window: 64, stateRefreshMs: 30_000, ...options };
  }

  /** There is news. */
  readonly mark = (speaker: Speaker): void => {
    const turn = this.#turnOf(speaker);
    if (turn.waiting) return;
    turn.waiting = true;
    const waitMs = turn.notBeforeMs - this.#options.clock.monotonicMs();
    if (waitMs > 0) {
      const timer = this.#options.clock.setTimer(waitMs, () => {
        this.#timers.delete(speaker);
        this.#enqueue(speaker);
      });
      this.#timers.set(speaker, timer);
    } else this.#enqueue(speaker);
  };

  /** It has nothing to say any more. */
  forget(speaker: Speaker): void {
    this.#queue.delete(speaker);
    this.#timers.get(speaker)?.cancel();
    this.#timers.delete(speaker);
    this.#turns.delete(speaker);
  }

  /** The bus is there: what waits goes. */
  resume(): void {
    this.#schedule();
  }

  /** Sends all that waits, and resolves when it is acknowledged, the bus is away, or the time is over. */
  async drain(withinMs: number): Promise<void> {
    for (const [speaker, timer] of this.#timers) {
      timer.cancel();
      this.#queue.add(speaker);
    }
    this.#timers.clear();
    this.#send();
    if (this.#inFlight > 0 && this.#options.bus.connected) {
      const { promise, resolve } = deferred();
      this.#idle = resolve;
      const timer = this.#options.clock.setTimer(withinMs, resolve);
      await promise;
      timer.cancel();
    }
  }

  /** An id for a message, unique in the life of this mapper. */
  readonly messageId = (): string => {
    this.#messages += 1;
    return this.#messages.toString(36);
  };

  #turnOf(speaker: Speaker): Turn {
    let turn = this.#turns.get(speaker);
    if (turn === undefined) {
      turn = { notBeforeMs: -Infinity, waiting: false };
      this.#turns.set(speaker, turn);
    }
    return turn;
  }

  #enqueue(speaker: Speaker): void {
    this.#queue.add(speaker);
    this.#schedule();
  }

  /** Once for all news of one turn of the event loop. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    const { bus, window, clock, spacingMs } = this.#options;
    for (const speaker of this.#queue) {
      if (!bus.connected || this.#inFlight >= window) return;
      this.#queue.delete(speaker);
      const turn = this.#turnOf(speaker);
      turn.waiting = false;
      turn.notBeforeMs = clock.monotonicMs() + spacingMs;
      this.#sendAll(speaker);
    }
  }

  #sendAll(speaker: Speaker): void {
    const { stateRefreshMs } = this.#options;
    for (
      let message = speaker.nextMessage(this.messageId, stateRefreshMs);
      message !== undefined;
      message = speaker.nextMessage(this.messageId, stateRefreshMs)
    ) {
      this.#publish(message);
    }
  }

  #publish({ topic, payload }: BusText): void {
    const { bus, stats } = this.#options;
    this.#inFlight += 1;
    bus
      .publish(topic, payload)
      .then(
        () => (stats.messages += 1),
        // Everything is said again when the bus is back.
        () => (stats.messagesLost += 1),
      )
      .finally(() => {
        this.#inFlight -= 1;
        if (this.#queue.size > 0 && bus.connected) this.#schedule();
        else if (this.#inFlight === 0) this.#idle?.();
      });
  }
}
