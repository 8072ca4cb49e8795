import type { ContentKey } from '../src/content/content.ts';
import type { ReplicaChange, ReplicaEntry, ReplicaRecord, ReplicaStore } from '../src/edge/replica-store.ts';
import { EMPTY_RECORD, MemoryDisk, WriteQueue, type MemoryDiskOptions } from './memory-disk.ts';

type Listener = (scope: string, keys: readonly ContentKey[]) => void;

/** A {@link ReplicaStore} in memory, with the durability of a disk: for tests and the simulator. */
export class MemoryReplicaStore implements ReplicaStore {
  readonly disk: MemoryDisk;
  readonly #queue: WriteQueue;
  readonly #entries = new Map<string, Map<ContentKey, ReplicaEntry>>();
  readonly #listeners = new Set<Listener>();

  /** Opens what `options.disk` has. */
  constructor(options: MemoryDiskOptions = {}) {
    this.disk = options.disk ?? new MemoryDisk();
    this.#queue = new WriteQueue(options.flush);
  }

  entries(scope: string): ReadonlyMap<ContentKey, ReplicaEntry> {
    let entries = this.#entries.get(scope);
    if (entries === undefined) {
      entries = new Map();
      const objects = this.disk.scopes.get(scope)?.objects.values() ?? [];
      for (const { key, hash, version, bytes } of objects) {
        entries.set(key, { hash, version, sizeBytes: bytes.length });
      }
      this.#entries.set(scope, entries);
    }
    return entries;
  }

  record(scope: string): ReplicaRecord {
    return this.disk.scopes.get(scope)?.record ?? EMPTY_RECORD;
  }

  read(scope: string, key: ContentKey): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.disk.scopes.get(scope)?.objects.get(key)?.bytes);
  }

  async apply(scope: string, changes: readonly ReplicaChange[], record?: ReplicaRecord): Promise<void> {
    await this.#queue.write(() => {
      const entries = this.entries(scope) as Map<ContentKey, ReplicaEntry>;
      const { objects } = this.disk.scope(scope);
      for (const change of changes) {
        if ('put' in change) {
          const { key, hash, version, bytes } = change.put;
          objects.set(key, change.put);
          entries.set(key, { hash, version, sizeBytes: bytes.length });
        } else {
          objects.delete(change.remove);
          entries.delete(change.remove);
        }
      }
      if (record !== undefined) this.disk.scope(scope).record = record;
    });
    const keys = changes.map((change) => ('put' in change ? change.put.key : change.remove));
    for (const listener of this.#listeners) listener(scope, keys);
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Writes under way. */
  get depth(): number {
    return this.#queue.depth;
  }

  /** Cuts the power: see {@link WriteQueue.cut}. Open the disk again with a new store. */
  cut(reached = 0): void {
    this.#queue.cut(reached);
  }
}
