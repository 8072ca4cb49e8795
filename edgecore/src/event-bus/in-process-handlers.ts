import { systemClock, type Clock, type Logger } from '@hawser/seams';
import type { BusMessage } from './event-bus.ts';
import { TopicTree } from './topic-tree.ts';

/** A handler of the edge core. */
export type Handler = (message: BusMessage) => void | Promise<void>;

/** What handlers have done. */
export interface HandlerCounters {
  /** Calls of handlers. */
  delivered: number;
  /** Calls that threw or rejected. */
  failed: number;
  /** Calls that did not resolve in time. */
  timedOut: number;
}

/** Longest that the acknowledgement of a message waits for a handler, in ms. */
export const HANDLER_TIMEOUT_MS = 10_000;

/** Subscriptions of the edge core itself: plain functions, no sockets. */
export class InProcessHandlers {
  readonly counters: HandlerCounters = { delivered: 0, failed: 0, timedOut: 0 };
  readonly #tree = new TopicTree<symbol, Handler>();
  readonly #log: Logger;
  readonly #timeoutMs: number;
  readonly #clock: Clock;

  constructor(log: Logger, timeoutMs: number = HANDLER_TIMEOUT_MS, clock: Clock = systemClock) {
    this.#log = log;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** @returns ends it */
  add(filter: string, handler: Handler): () => void {
    const key = Symbol(filter);
    this.#tree.set(filter, key, handler);
    return () => {
      this.#tree.delete(filter, key);
    };
  }

  /**
   * Calls every handler that fits, before it returns.
   * @returns undefined: all are done; else resolves when they are, or their time is up. Never rejects.
   */
  call(message: BusMessage, levels: readonly string[]): Promise<void> | undefined {
    let waits: Promise<void>[] | undefined;
    this.#tree.match(levels, (_key, handler) => {
      const wait = this.run(handler, message);
      if (wait !== undefined) (waits ??= []).push(wait);
    });
    if (waits === undefined) return undefined;
    return waits.length === 1 ? waits[0] : Promise.all(waits).then(() => undefined);
  }

  /** Calls one, as {@link call} does. */
  run(handler: Handler, message: BusMessage): Promise<void> | undefined {
    this.counters.delivered += 1;
    try {
      const result = handler(message);
      return result === undefined ? undefined : this.#bounded(result, message.topic);
    } catch (error) {
      this.#failed(error, message.topic);
      return undefined;
    }
  }

  #bounded(result: Promise<void>, topic: string): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(this.#timeoutMs, () => {
        this.counters.timedOut += 1;
        this.#log.warn({ topic }, 'a handler of a message takes too long; its sender is not kept waiting');
        resolve();
      });
      result
        .catch((error: unknown) => this.#failed(error, topic))
        .finally(() => {
          timer.cancel();
          resolve();
        });
    });
  }

  #failed(err: unknown, topic: string): void {
    this.counters.failed += 1;
    this.#log.warn({ err, topic }, 'a handler of a message failed; the message is acknowledged all the same');
  }
}
