import type { Informer, KubeObject } from '@hawser/kube';

/**
 * What a controller wrote and its cache does not show yet, by the key that it wrote for. A controller that counts
 * objects must not count before the cache shows its own writes, or it would make them twice.
 *
 * Upstream counts expected events (ControllerExpectations), which go wrong when events are lost or merged, and need a
 * time-out. Here versions are compared: they are one sequence for the whole store.
 */
export class OwnWrites {
  readonly #informer: Informer;
  readonly #written = new Map<string, number>();
  readonly #deleted = new Map<string, Map<string, string>>();

  /** `informer`: the cache that the written objects appear in. */
  constructor(informer: Informer) {
    this.#informer = informer;
  }

  /** `object` was created or changed for `key`; it is as the server answered it. */
  wrote(key: string, object: KubeObject): void {
    const version = Number(object.metadata.resourceVersion);
    this.#written.set(key, Math.max(version, this.#written.get(key) ?? 0));
  }

  /** The deletion of `object` for `key` was accepted. */
  deleted(key: string, object: KubeObject): void {
    const { namespace = '', name = '', uid = '' } = object.metadata;
    const deletions = this.#deleted.get(key) ?? new Map<string, string>();
    deletions.set(uid, namespace === '' ? name : `${namespace}/${name}`);
    this.#deleted.set(key, deletions);
  }

  /** Whether the cache shows all that was written for `key`. */
  areSeen(key: string): boolean {
    const version = this.#written.get(key);
    if (version !== undefined) {
      if (Number(this.#informer.lastVersion) < version) return false;
      this.#written.delete(key);
    }
    const deletions = this.#deleted.get(key);
    for (const [uid, at] of deletions ?? []) {
      const entry = this.#informer.lister.byKey(at);
      const present = entry?.uid === uid && entry.value.metadata.deletionTimestamp === undefined;
      if (present) return false;
      deletions?.delete(uid);
    }
    this.#deleted.delete(key);
    return true;
  }

  /** The owner is gone. */
  forget(key: string): void {
    this.#written.delete(key);
    this.#deleted.delete(key);
  }
}
