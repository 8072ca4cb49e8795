import { systemClock } from '@hawser/seams';
import type {
  Entry,
  EntryList,
  HistoryLimits,
  KubeObject,
  ObjectKey,
  ObjectStore,
  Scope,
  StoreWatch,
} from '@hawser/kube';
import { describeStoreReading } from '@hawser/kube/testing';
import type { PoolResource } from '@hawser/sync';
import { LocalStore } from '../../src/local-store/local-store.ts';
import { PoolModel } from './pool-model.ts';

const CONFIG_MAPS = core('configmaps', 'ConfigMap');
const SECRETS = core('secrets', 'Secret');
const OTHERS: PoolResource = { group: 'x', version: 'v1', resource: 'y', kind: 'Y', namespaced: true };

function core(resource: string, kind: string): PoolResource {
  return { group: '', version: 'v1', resource, kind, namespaced: true };
}

/** Writes to a cluster, and commits each write to the replica that the local store reads. */
class WrittenStore implements ObjectStore {
  readonly #model = new PoolModel(CONFIG_MAPS, SECRETS, OTHERS);
  readonly #store: LocalStore;

  constructor({ historyEvents = 10_000, historyBytes = 64 * 2 ** 20 }: HistoryLimits = {}) {
    this.#store = new LocalStore({
      pool: this.#model,
      clock: systemClock,
      limits: { events: historyEvents, bytes: historyBytes },
    });
  }

  async open(): Promise<this> {
    this.#store.start();
    await this.#model.commitAll();
    for (const resource of this.#model.shared.values()) this.#store.stateOf(resource);
    return this;
  }

  get resourceVersion(): number {
    return this.#store.resourceVersion;
  }

  get oldestWatchVersion(): number {
    return this.#store.oldestWatchVersion;
  }

  get(key: ObjectKey): Entry | undefined {
    return this.#store.get(key);
  }

  list(scope: Scope, options?: { atVersion?: number }): EntryList {
    return this.#store.list(scope, options);
  }

  watch(scope: Scope, options: { fromVersion: number; limitEvents?: number }): StoreWatch {
    return this.#store.watch(scope, options);
  }

  create(key: ObjectKey, object: KubeObject): Promise<Entry> {
    return this.#put(key, object);
  }

  update(key: ObjectKey, _version: number, object: KubeObject): Promise<Entry> {
    return this.#put(key, object);
  }

  async delete(key: ObjectKey): Promise<Entry> {
    const entry = this.#store.stateOf(key)?.get(key.namespace, key.name);
    this.#model.remove(this.#resource(key), key.namespace, key.name);
    await this.#model.commitAll();
    if (entry === undefined) throw new Error('it was not there');
    return entry.at(this.resourceVersion);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #put(key: ObjectKey, object: KubeObject): Promise<Entry> {
    // A write that changes nothing does not travel: each one is to be another.
    const metadata = { ...object.metadata, generation: this.resourceVersion + 1 };
    this.#model.put(this.#resource(key), key.namespace, key.name, { ...object, metadata });
    await this.#model.commitAll();
    const entry = this.get(key);
    if (entry === undefined) throw new Error('it is not there');
    return entry;
  }

  #resource({ resource }: ObjectKey): PoolResource {
    return resource === 'secrets' ? SECRETS : CONFIG_MAPS;
  }
}

const opened: WrittenStore[] = [];

describeStoreReading('LocalStore over a replica', {
  open: (limits) => {
    const store = new WrittenStore(limits);
    opened.push(store);
    return store.open();
  },
  clean: async () => {
    for (const store of opened.splice(0)) await store.close();
  },
});
