import { deferred, type Deferred } from '@hawser/seams';
import { expired } from '../status/status-errors.ts';
import { StatusError } from '../status/status.ts';
import type { Scope, StoreEvent, StoreWatch } from './store.ts';

/** What a watch needs of its store. */
export interface WatchSource {
  /** The newest visible version. */
  readonly resourceVersion: number;
  /** Forgets the watch: it ended. */
  detach(watch: EventWatch): void;
}

const DEFAULT_LIMIT_EVENTS = 1000;

/** 410: a watch's reader left more events waiting than it may. Other ends of reason Expired can be told to the reader. */
export class FellBehindError extends StatusError {
  constructor(limitEvents: number) {
    super(expired(`the watch fell behind by more than ${limitEvents} events`).status);
  }
}

/** Below this many spent places the queue is not worth shifting. */
const COMPACT_AT = 256;

/** One watch: a bounded queue between the store, which pushes, and one reader. */
export class EventWatch implements StoreWatch, AsyncIterator<StoreEvent, undefined> {
  readonly scope: Scope;
  readonly #source: WatchSource;
  readonly #limitEvents: number;
  readonly #readers: Deferred<IteratorResult<StoreEvent, undefined>>[] = [];
  #queue: StoreEvent[] = [];
  #head = 0;
  /** Queued events from before the watch began: they do not count against a reader that could not read them yet. */
  #backlog: number;
  #floor: number;
  #ended = false;
  #error: Error | undefined;

  constructor(
    source: WatchSource,
    scope: Scope,
    start: { fromVersion: number; limitEvents?: number; backlog: readonly StoreEvent[] },
  ) {
    this.#source = source;
    this.scope = scope;
    this.#floor = start.fromVersion;
    this.#limitEvents = start.limitEvents ?? DEFAULT_LIMIT_EVENTS;
    this.#queue = [...start.backlog];
    this.#backlog = start.backlog.length;
  }

  get deliveredVersion(): number {
    return this.#ended ? this.#floor : Math.max(this.#floor, this.#source.resourceVersion);
  }

  /** Hands over an event of the scope's resource. The store calls this in order of version. */
  push(event: StoreEvent): void {
    const { namespace } = event.entry.key;
    if (this.#ended || (this.scope.namespace !== undefined && this.scope.namespace !== namespace)) return;
    if (event.entry.resourceVersion <= this.#floor) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ value: event, done: false });
      return;
    }
    if (this.#queue.length - this.#head - this.#backlog >= this.#limitEvents) {
      this.end(new FellBehindError(this.#limitEvents));
      return;
    }
    this.#queue.push(event);
  }

  /**
   * Ends the watch. Without an error, what is queued is still read; with one, it is dropped at once, so that a
   * reader which never reads holds nothing.
   */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#floor = this.deliveredVersion;
    this.#ended = true;
    this.#error = error;
    if (error !== undefined) this.#clear();
    this.#source.detach(this);
    for (const reader of this.#readers.splice(0)) this.#settleEnd(reader);
  }

  close(): void {
    this.#clear();
    this.end();
  }

  next(): Promise<IteratorResult<StoreEvent, undefined>> {
    const event = this.#queue[this.#head];
    if (event !== undefined) {
      this.#advance();
      return Promise.resolve({ value: event, done: false });
    }
    const reader = deferred<IteratorResult<StoreEvent, undefined>>();
    if (this.#ended) this.#settleEnd(reader);
    else this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<IteratorResult<StoreEvent, undefined>> {
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** An error is told once; after it, as after any end, the iteration is done. */
  #settleEnd(reader: Deferred<IteratorResult<StoreEvent, undefined>>): void {
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) reader.resolve({ value: undefined, done: true });
    else reader.reject(error);
  }

  #advance(): void {
    this.#head += 1;
    if (this.#backlog > 0) this.#backlog -= 1;
    if (this.#head === this.#queue.length) this.#clear();
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #clear(): void {
    this.#queue = [];
    this.#head = 0;
    this.#backlog = 0;
  }
}
