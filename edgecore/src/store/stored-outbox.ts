import type { OutboxEntry, OutboxStore } from '@hawser/sync';
import { EdgeCoreError } from '../errors.ts';
import { LIMIT_CONTENT_BYTES } from './store-limits.ts';
import type { StoreThread } from './store-thread.ts';

/** What an entry takes in memory beside its body. */
const ENTRY_BYTES = 256;

/** The {@link OutboxStore} of an edge store: entries are on disk only, and read once. */
export class StoredOutbox implements OutboxStore {
  readonly #thread: StoreThread;

  constructor(thread: StoreThread) {
    this.#thread = thread;
  }

  load(): Promise<readonly OutboxEntry[]> {
    return this.#thread.outbox();
  }

  async write({
    put,
    remove,
  }: {
    readonly put: readonly OutboxEntry[];
    readonly remove: readonly string[];
  }): Promise<void> {
    if (put.length === 0 && remove.length === 0) return;
    let sizeBytes = ENTRY_BYTES * (put.length + remove.length);
    for (const { key, body } of put) {
      sizeBytes += body.length;
      if (body.length <= LIMIT_CONTENT_BYTES) continue;
      const message = `the message ${key} has ${body.length} bytes; at most ${LIMIT_CONTENT_BYTES} are kept`;
      throw new EdgeCoreError('ERR_EDGE_STORE_VALUE', message, { about: key });
    }
    await this.#thread.write({ type: 'outbox', put, remove }, sizeBytes, () => {});
  }
}
