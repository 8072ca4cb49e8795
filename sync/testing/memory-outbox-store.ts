import type { OutboxEntry, OutboxStore } from '../src/edge/outbox-store.ts';
import { MemoryDisk, WriteQueue, type MemoryDiskOptions } from './memory-disk.ts';

/** An {@link OutboxStore} in memory, with the durability of a disk: for tests and the simulator. */
export class MemoryOutboxStore implements OutboxStore {
  readonly disk: MemoryDisk;
  readonly #queue: WriteQueue;

  /** Opens what `options.disk` has. */
  constructor(options: MemoryDiskOptions = {}) {
    this.disk = options.disk ?? new MemoryDisk();
    this.#queue = new WriteQueue(options.flush);
  }

  load(): Promise<readonly OutboxEntry[]> {
    return Promise.resolve([...this.disk.outbox.values()].sort((one, other) => one.order - other.order));
  }

  write(change: { readonly put: readonly OutboxEntry[]; readonly remove: readonly string[] }): Promise<void> {
    return this.#queue.write(() => {
      for (const key of change.remove) this.disk.outbox.delete(key);
      for (const entry of change.put) this.disk.outbox.set(entry.key, entry);
    });
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
