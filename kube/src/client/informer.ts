import { systemClock, type Clock, type Timer } from '@hawser/seams';
import type { KubeObject } from '../meta/object.ts';
import { cacheKey, dropManagedFields, type CacheEntry, type Transform } from './cache-entry.ts';
import { ClientError } from './client-error.ts';
import { IndexedStore, type Change, type Indexer, type PreparedEntry } from './indexed-store.ts';
import { Lister } from './lister.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorOptions, ReflectorPhase, ReflectorSink } from './reflector-options.ts';
import { report } from './report.ts';

/**
 * Hears of changes: `old` undefined for a new object, `current` for one that is gone, both the same at a resync.
 * It is called while the cache shows the new state, and must only enqueue: everything waits for it. An object that
 * was deleted and made again between two lists comes as one change with two uids.
 */
export type ChangeHandler<T> = (old: CacheEntry<T> | undefined, current: CacheEntry<T> | undefined) => void;

/** A handler's place in an informer. */
export interface HandlerRegistration {
  /** Whether the handler has been told of everything in the first complete list. */
  readonly hasSynced: boolean;
  /** The handler is not called again. Idempotent. */
  remove(): void;
}

/** What an informer was at when something failed. */
export type InformerPhase = ReflectorPhase | 'transform' | 'handler';

/** Settings of {@link Informer}: those of the reflector, and what is kept. */
export interface InformerOptions<T> extends Omit<ReflectorOptions<never>, 'sink' | 'onError'> {
  /** Makes of an object what is kept: less, or bytes. An object that it fails on keeps its last good form. */
  readonly transform: Transform<T>;
  /** Indexes by name; they see objects as they came. */
  readonly indexers?: Readonly<Record<string, Indexer>>;
  /** Handlers hear of every object again at this interval. Default: never. */
  readonly resyncMs?: number;
  /** Hears of every failure, of handlers too; the informer goes on by itself. */
  readonly onError?: (error: Error, phase: InformerPhase) => void;
}

/**
 * A cache of a resource's objects that follows the API server, shared by any number of handlers: reflector →
 * indexed store → handlers. Handlers may come and go at any time; one that comes late hears of what is there.
 * Source: client-go tools/cache SharedIndexInformer.
 */
export class Informer<T = KubeObject> {
  readonly lister: Lister<T>;
  readonly #options: InformerOptions<T>;
  readonly #store: IndexedStore<T>;
  readonly #reflector: Reflector<PreparedEntry<T>>;
  readonly #clock: Clock;
  readonly #handlers = new Set<ChangeHandler<T>>();
  #resyncTimer: Timer | undefined;
  #started = false;
  #stopped = false;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { transform, indexers } = options;
    this.#store = new IndexedStore({ transform, ...(indexers && { indexers }) });
    this.lister = new Lister(this.#store);
    this.#reflector = new Reflector({ ...options, sink: this.#sink() });
  }

  /** Whether the cache has seen a complete list. */
  get hasSynced(): boolean {
    return this.#reflector.hasSynced;
  }

  /** The server's version that the cache shows. */
  get lastVersion(): string {
    return this.#reflector.lastVersion;
  }

  /**
   * Resolves when the cache has seen a complete list, and the handlers with it.
   * Errors: `signal.reason`; `ERR_KUBE_CLIENT_CLOSED` when the informer was stopped before.
   */
  waitForSync(signal?: AbortSignal): Promise<void> {
    return this.#reflector.waitForSync(signal);
  }

  /** Adds a handler; it hears of everything that is there before this returns. */
  addHandler(handler: ChangeHandler<T>): HandlerRegistration {
    // The same function may be added twice.
    const own: ChangeHandler<T> = (old, current) => handler(old, current);
    for (const entry of [...this.#store.entries()]) this.#call(own, { old: undefined, current: entry });
    this.#handlers.add(own);
    const reflector = this.#reflector;
    return {
      get hasSynced() {
        return reflector.hasSynced;
      },
      remove: () => void this.#handlers.delete(own),
    };
  }

  /**
   * Adds indexes; only before `start`.
   * @throws ClientError `ERR_KUBE_CLIENT_CONFIG` afterwards, or when another index has the name
   */
  addIndexers(indexers: Readonly<Record<string, Indexer>>): void {
    if (this.#started)
      throw new ClientError('ERR_KUBE_CLIENT_CONFIG', 'indexes must be added before the start');
    this.#store.addIndexers(indexers);
  }

  /** Begins; without effect when begun. A stopped informer does not start again. */
  start(): void {
    if (this.#started || this.#stopped) return;
    this.#started = true;
    this.#reflector.start();
    this.#armResync();
  }

  /** Ends everything; resolves when nothing is open any more. The cache stays readable. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#resyncTimer?.cancel();
    await this.#reflector.stop();
  }

  #sink(): ReflectorSink<PreparedEntry<T>> {
    return {
      prepare: (object) => this.#prepare(object),
      replace: (entries) => this.#tell(this.#store.replace(entries)),
      put: (entry) => this.#tell([this.#store.put(entry)]),
      remove: (object) => {
        const change = this.#store.remove(object);
        if (change !== undefined) this.#tell([change]);
      },
    };
  }

  #prepare(object: KubeObject): PreparedEntry<T> | undefined {
    try {
      return this.#store.prepare(object);
    } catch (error) {
      this.#fail(error, 'transform');
      return this.#store.get(cacheKey(object.metadata.namespace, object.metadata.name ?? ''));
    }
  }

  #tell(changes: readonly Change<T>[]): void {
    const { metrics, name } = this.#options;
    metrics?.objects.set({ resource: name }, this.#store.size);
    // A handler that is added meanwhile has already seen the new state, and is not in this copy.
    const handlers = [...this.#handlers];
    for (const change of changes) {
      for (const handler of handlers) if (this.#handlers.has(handler)) this.#call(handler, change);
    }
  }

  #call(handler: ChangeHandler<T>, { old, current }: Change<T>): void {
    try {
      handler(old, current);
    } catch (error) {
      this.#fail(error, 'handler');
    }
  }

  #fail(error: unknown, phase: InformerPhase): void {
    const { metrics, name, onError } = this.#options;
    metrics?.errors.inc({ resource: name, phase });
    report(onError, error, phase);
  }

  #armResync(): void {
    const { resyncMs } = this.#options;
    if (resyncMs === undefined) return;
    const resync = (): void => {
      this.#tell([...this.#store.entries()].map((entry) => ({ old: entry, current: entry })));
      if (!this.#stopped) this.#armResync();
    };
    this.#resyncTimer = this.#clock.setTimer(resyncMs, resync, { background: true });
  }
}

/** An informer that keeps objects as they are, but for their managedFields. */
export function objectInformer(options: Omit<InformerOptions<KubeObject>, 'transform'>): Informer {
  return new Informer({ ...options, transform: dropManagedFields });
}
