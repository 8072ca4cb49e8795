import type { Entry, ObjectKey, ObjectStore, Registry, StoreWatch } from '@hawser/kube';
import { delay, type Clock, type Logger } from '@hawser/seams';
import { storedResources, type StoredResource } from './stored-resources.ts';

/** Hears of every object's present state; `entry` undefined: gone (`last` is what it was). */
export type StoreObservation = (resource: StoredResource, last: Entry, entry: Entry | undefined) => void;

/** Settings of {@link StoreObserver}. */
export interface StoreObserverOptions {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onObject: StoreObservation;
}

const REGISTRY_POLL_MS = 500;
const RESTART_MS = 100;
const LIMIT_EVENTS = 10_000;

/** The newest entry of each object, by its place: references to what the store holds anyway. */
type KnownEntries = Map<string, Entry>;

interface Running {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/**
 * Follows all stored resources, also those that come and go with CustomResourceDefinitions, straight from the store:
 * what concerns every object would cost an informer, a connection and a copy of the objects for each resource.
 */
export class StoreObserver {
  readonly #options: StoreObserverOptions;
  readonly #running = new Map<string, Running>();
  readonly #stopping = new AbortController();
  #revision = -1;
  #polling: Promise<void> | undefined;

  constructor(options: StoreObserverOptions) {
    this.#options = options;
  }

  /** Begins; the objects that are there are told before this returns. Idempotent. */
  start(): void {
    if (this.#polling !== undefined || this.#stopping.signal.aborted) return;
    this.#refresh();
    this.#polling = this.#poll();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the observer was stopped'));
    for (const { abort } of this.#running.values()) abort.abort(this.#stopping.signal.reason);
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    await this.#polling;
  }

  async #poll(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    while (true) {
      try {
        await delay(REGISTRY_POLL_MS, { clock, signal });
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      this.#refresh();
    }
  }

  #refresh(): void {
    const { registry } = this.#options;
    if (registry.revision === this.#revision) return;
    this.#revision = registry.revision;
    const wanted = new Map(
      storedResources(registry).map((resource) => [
        `${resource.storage.group}/${resource.storage.resource}`,
        resource,
      ]),
    );
    for (const [id, running] of this.#running) {
      if (wanted.has(id)) continue;
      running.abort.abort(new Error('the resource is not served any more'));
      this.#running.delete(id);
    }
    for (const [id, resource] of wanted) {
      if (this.#running.has(id)) continue;
      const abort = new AbortController();
      this.#running.set(id, { abort, done: this.#follow(resource, abort.signal) });
    }
  }

  async #follow(resource: StoredResource, signal: AbortSignal): Promise<void> {
    const { store, logger, clock } = this.#options;
    const known: KnownEntries = new Map();
    while (!signal.aborted) {
      // Synchronous from the list to the watch: nothing can happen in between.
      const list = store.list(resource.storage);
      this.#replace(resource, known, list.entries);
      const watch = store.watch(resource.storage, {
        fromVersion: list.resourceVersion,
        limitEvents: LIMIT_EVENTS,
      });
      const onAbort = (): void => watch.close();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await this.#read(resource, known, watch);
        return; // the resource is not followed any more, or the store was closed
      } catch (error) {
        logger.warn({ resource: resource.resource, err: error }, 'watch of the store ended, starting again');
      } finally {
        signal.removeEventListener('abort', onAbort);
        watch.close();
      }
      try {
        await delay(RESTART_MS, { clock, signal });
      } catch {
        return; // stopped
      }
    }
  }

  /** What went while no watch ran is told too. */
  #replace(resource: StoredResource, known: KnownEntries, entries: readonly Entry[]): void {
    const { onObject } = this.#options;
    const present = new Set(entries.map(({ key }) => placeOf(key)));
    for (const [place, last] of known) {
      if (present.has(place)) continue;
      known.delete(place);
      onObject(resource, last, undefined);
    }
    for (const entry of entries) {
      known.set(placeOf(entry.key), entry);
      onObject(resource, entry, entry);
    }
  }

  async #read(resource: StoredResource, known: KnownEntries, watch: StoreWatch): Promise<void> {
    for await (const { type, entry } of watch) {
      const gone = type === 'DELETED';
      if (gone) known.delete(placeOf(entry.key));
      else known.set(placeOf(entry.key), entry);
      this.#options.onObject(resource, entry, gone ? undefined : entry);
    }
  }
}

function placeOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}
