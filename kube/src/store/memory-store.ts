import type { KubeObject } from '../meta/object.ts';
import { History, type HistoryLimits } from './history.ts';
import type { Entry, EntryList, ObjectKey, ObjectStore, Scope, StoreWatch } from './store.ts';
import { VersionedView } from './versioned-view.ts';
import { eventOf, type Write } from './write-event.ts';

/** Settings of {@link MemoryStore}. */
export interface MemoryStoreOptions extends HistoryLimits {
  /** Version of the first write minus one: lets a cache go on where an earlier one ended. Default 0. */
  readonly startVersion?: number;
}

/** An {@link ObjectStore} that lives and dies with its process. A write is visible before its promise is returned. */
export class MemoryStore implements ObjectStore {
  readonly #view: VersionedView;

  constructor(options: MemoryStoreOptions = {}) {
    const { startVersion = 0 } = options;
    this.#view = new VersionedView(new History(options, startVersion), startVersion);
  }

  get resourceVersion(): number {
    return this.#view.resourceVersion;
  }

  get oldestWatchVersion(): number {
    return this.#view.oldestWatchVersion;
  }

  get(key: ObjectKey): Entry | undefined {
    return this.#view.get(key);
  }

  list(scope: Scope, options: { atVersion?: number } = {}): EntryList {
    return this.#view.list(scope, options.atVersion);
  }

  create(key: ObjectKey, object: KubeObject): Promise<Entry> {
    return this.#write({ type: 'create', key, object });
  }

  update(key: ObjectKey, expectedVersion: number, object: KubeObject): Promise<Entry> {
    return this.#write({ type: 'update', key, expectedVersion, object });
  }

  delete(key: ObjectKey, expectedVersion: number, finalObject?: KubeObject): Promise<Entry> {
    return this.#write({ type: 'delete', key, expectedVersion, finalObject });
  }

  watch(scope: Scope, options: { fromVersion: number; limitEvents?: number }): StoreWatch {
    return this.#view.watch(scope, options);
  }

  close(): Promise<void> {
    this.#view.close();
    return Promise.resolve();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what is thrown must become a rejection
  async #write(write: Write): Promise<Entry> {
    const event = eventOf(write, this.#view.get(write.key), this.#view.resourceVersion + 1);
    this.#view.apply(event);
    return event.entry;
  }
}
