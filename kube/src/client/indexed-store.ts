import type { KubeObject } from '../meta/object.ts';
import { cacheEntry, cacheKey, type CacheEntry, type Transform } from './cache-entry.ts';
import { ClientError } from './client-error.ts';

/** The values under which an object is found in an index: see {@link IndexedStore}. */
export type Indexer = (object: KubeObject) => readonly string[];

/** A change of one key: `old` is absent for a new object, `current` for one that is gone. */
export interface Change<T> {
  readonly old: CacheEntry<T> | undefined;
  readonly current: CacheEntry<T> | undefined;
}

/** Settings of {@link IndexedStore}. */
export interface IndexedStoreOptions<T> {
  readonly transform: Transform<T>;
  /** Indexes by name; they see the object before its transform. */
  readonly indexers?: Readonly<Record<string, Indexer>>;
}

/** An object made ready for the store by {@link IndexedStore.prepare}: transformed, with its values in each index. */
export interface PreparedEntry<T> extends CacheEntry<T> {
  readonly places: readonly (readonly string[])[];
}

type Index = Map<string, Set<string>>;

const BY_NAMESPACE = '\0namespace';

/**
 * Objects by key, with indexes (namespace always, others on demand). Each change is complete when the method
 * returns: readers never see half of a `replace`. Not bounded by itself: it holds what exists.
 */
export class IndexedStore<T> {
  readonly #transform: Transform<T>;
  readonly #indexers: Indexer[] = [];
  readonly #indexes = new Map<string, Index>();
  #entries = new Map<string, PreparedEntry<T>>();

  constructor(options: IndexedStoreOptions<T>) {
    this.#transform = options.transform;
    this.addIndexers({ [BY_NAMESPACE]: ({ metadata }) => [metadata.namespace ?? ''], ...options.indexers });
  }

  /**
   * Adds indexes to a store that holds nothing yet.
   * @throws ClientError `ERR_KUBE_CLIENT_CONFIG` when it does, or when another index has the name
   */
  addIndexers(indexers: Readonly<Record<string, Indexer>>): void {
    if (this.#entries.size > 0)
      throw new ClientError('ERR_KUBE_CLIENT_CONFIG', 'indexes cannot be added to objects');
    for (const [name, indexer] of Object.entries(indexers)) {
      if (this.#indexes.has(name))
        throw new ClientError('ERR_KUBE_CLIENT_CONFIG', `index "${name}" is there already`);
      this.#indexers.push(indexer);
      this.#indexes.set(name, new Map());
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): PreparedEntry<T> | undefined {
    return this.#entries.get(key);
  }

  entries(): IterableIterator<CacheEntry<T>> {
    return this.#entries.values();
  }

  /** Entries of a namespace. */
  inNamespace(namespace: string): CacheEntry<T>[] {
    return this.#lookUp(BY_NAMESPACE, namespace);
  }

  /**
   * Entries that the index `name` has under `value`.
   * @throws ClientError `ERR_KUBE_CLIENT_CONFIG` when there is no such index
   */
  byIndex(name: string, value: string): CacheEntry<T>[] {
    return this.#lookUp(name, value);
  }

  /**
   * Transforms and indexes an object, so that a long list need not be held as it came.
   * @throws what the transform or an indexer throws
   */
  prepare(object: KubeObject): PreparedEntry<T> {
    const entry = cacheEntry(object, this.#transform(object));
    return { ...entry, places: this.#indexers.map((indexer) => indexer(object)) };
  }

  /** Stores a prepared object. */
  put(entry: PreparedEntry<T>): Change<T> {
    const old = this.#entries.get(entry.key);
    if (old !== undefined) this.#unindex(old);
    this.#entries.set(entry.key, entry);
    this.#index(entry);
    return { old, current: entry };
  }

  /** Takes an object out; undefined if it was not there. */
  remove(object: Pick<KubeObject, 'metadata'>): Change<T> | undefined {
    const key = cacheKey(object.metadata.namespace, object.metadata.name ?? '');
    const old = this.#entries.get(key);
    if (old === undefined) return undefined;
    this.#entries.delete(key);
    this.#unindex(old);
    return { old, current: undefined };
  }

  /** Makes these (of distinct keys) the only objects; what has the same uid and version stays, and is no change. */
  replace(prepared: Iterable<PreparedEntry<T>>): Change<T>[] {
    const before = this.#entries;
    const changes: Change<T>[] = [];
    this.#entries = new Map();
    for (const entry of prepared) {
      const old = before.get(entry.key);
      const same = old?.resourceVersion === entry.resourceVersion && old.uid === entry.uid;
      this.#entries.set(entry.key, same ? old : entry);
      if (same) continue;
      if (old !== undefined) this.#unindex(old);
      this.#index(entry);
      changes.push({ old, current: entry });
    }
    for (const old of before.values()) {
      if (this.#entries.has(old.key)) continue;
      this.#unindex(old);
      changes.push({ old, current: undefined });
    }
    return changes;
  }

  #lookUp(name: string, value: string): CacheEntry<T>[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new ClientError('ERR_KUBE_CLIENT_CONFIG', `there is no index "${name}"`);
    const found: CacheEntry<T>[] = [];
    for (const key of index.get(value) ?? []) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  #index({ key, places }: PreparedEntry<T>): void {
    for (const [index, value] of this.#placesOf(places)) {
      const keys = index.get(value);
      if (keys === undefined) index.set(value, new Set([key]));
      else keys.add(key);
    }
  }

  #unindex({ key, places }: PreparedEntry<T>): void {
    for (const [index, value] of this.#placesOf(places)) {
      const keys = index.get(value);
      keys?.delete(key);
      if (keys?.size === 0) index.delete(value);
    }
  }

  /** An entry has one place for each index, in the order in which those were added. */
  *#placesOf(places: PreparedEntry<T>['places']): Generator<[Index, string]> {
    let position = 0;
    for (const index of this.#indexes.values()) {
      for (const value of places[position++] ?? []) yield [index, value];
    }
  }
}
