import { setImmediate as nextTurn } from 'node:timers/promises';
import { Backoff, delay, type Clock, type Logger, type Random } from '@hawser/seams';
import type { Entry, ObjectStore, Scope, StoreEvent, StoreWatch } from '@hawser/kube';

/** What becomes of a resource of the store. */
export interface StoreSink {
  /** All there is now; called in turns of some entries each, the last one with `done`. */
  replace(entries: readonly Entry[], done: boolean): void;
  apply(event: StoreEvent): void;
}

/** Settings of {@link StoreFollower}. */
export interface StoreFollowerOptions {
  readonly store: ObjectStore;
  readonly scope: Scope;
  readonly sink: StoreSink;
  readonly clock: Clock;
  readonly random?: Random | undefined;
  readonly log: Logger;
}

/** Events that may wait while others have their turn; then the store is listed again. */
const LIMIT_EVENTS = 10_000;
/** Entries of a list that are taken in before others get their turn: objects may be parsed for it. */
const ENTRIES_A_TURN = 200;
const BACKOFF = { baseMs: 100, capMs: 5000 };

/** Follows a resource of a store: a list, then what changes, for ever. What was there stays while the store fails. */
export class StoreFollower {
  readonly #options: StoreFollowerOptions;
  #watch: StoreWatch | undefined;
  #ending = new AbortController();
  #running: Promise<void> | undefined;
  #synced = false;

  constructor(options: StoreFollowerOptions) {
    this.#options = options;
  }

  /** Whether all of a list was taken in once. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Idempotent. */
  start(): void {
    this.#running ??= this.#follow();
  }

  /** Idempotent; not started again afterwards. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#watch?.close();
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { clock, random, log, scope } = this.#options;
    const { signal } = this.#ending;
    const backoff = new Backoff({ ...BACKOFF, ...(random && { random }) });
    while (!signal.aborted) {
      try {
        await this.#followOnce(signal, () => backoff.reset());
      } catch (error) {
        log.debug({ err: error, resource: scope.resource }, 'names are listed again');
      }
      // A watch that ends is nothing bad: a resource came or went, or many events came at once.
      await delay(backoff.nextMs(), { clock, signal }).catch(() => {}); // stopped: the loop ends
    }
  }

  async #followOnce(signal: AbortSignal, onEvent: () => void): Promise<void> {
    const { store, scope, sink } = this.#options;
    const { entries, resourceVersion } = store.list(scope);
    const watch = store.watch(scope, { fromVersion: resourceVersion, limitEvents: LIMIT_EVENTS });
    this.#watch = watch;
    try {
      for (let from = 0; from === 0 || from < entries.length; from += ENTRIES_A_TURN) {
        if (from > 0) await nextTurn();
        signal.throwIfAborted();
        sink.replace(entries.slice(from, from + ENTRIES_A_TURN), from + ENTRIES_A_TURN >= entries.length);
      }
      this.#synced = true;
      for await (const event of watch) {
        onEvent();
        sink.apply(event);
      }
    } finally {
      watch.close();
    }
  }
}
