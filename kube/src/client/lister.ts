import { cacheKey, type CacheEntry } from './cache-entry.ts';
import type { IndexedStore } from './indexed-store.ts';

/** Anything that can judge labels, `LabelSelector` for one. */
export interface LabelMatcher {
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
}

/** What to list. */
export interface ListerQuery {
  /** Default: all. */
  readonly namespace?: string;
  readonly selector?: LabelMatcher;
}

/** The read side of an informer's cache. What it returns is shared: look, don't touch. */
export class Lister<T> {
  readonly #store: IndexedStore<T>;

  constructor(store: IndexedStore<T>) {
    this.#store = store;
  }

  /** Objects held. */
  get size(): number {
    return this.#store.size;
  }

  /** `namespace` is `''` for cluster-scoped objects. */
  get(namespace: string, name: string): CacheEntry<T> | undefined {
    return this.#store.get(cacheKey(namespace, name));
  }

  /** By `namespace/name`, as handlers and queues carry it. */
  byKey(key: string): CacheEntry<T> | undefined {
    return this.#store.get(key);
  }

  /** In no particular order. */
  list(query: ListerQuery = {}): CacheEntry<T>[] {
    const { namespace, selector } = query;
    const entries = namespace === undefined ? [...this.#store.entries()] : this.#store.inNamespace(namespace);
    return selector === undefined ? entries : entries.filter(({ labels }) => selector.matches(labels));
  }

  /**
   * Objects that the informer's index `index` has under `value`.
   * @throws ClientError `ERR_KUBE_CLIENT_CONFIG` when there is no such index
   */
  byIndex(index: string, value: string): CacheEntry<T>[] {
    return this.#store.byIndex(index, value);
  }
}
