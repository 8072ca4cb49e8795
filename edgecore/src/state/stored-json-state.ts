import type { Logger } from '@hawser/seams';
import type { StateStore } from '../store/state-store.ts';
import type { JsonState } from './json-state.ts';

/** {@link JsonState} on the state of the edge's store. A value that cannot be read is as none, and is said. */
export class StoredJsonState implements JsonState {
  readonly #store: StateStore;
  readonly #log: Logger;

  constructor(store: StateStore, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  read(key: string): Promise<unknown> {
    return Promise.resolve(this.#parsed(key));
  }

  readAll(prefix: string): Promise<ReadonlyMap<string, unknown>> {
    const found = new Map<string, unknown>();
    for (const key of this.#store.keys().filter((name) => name.startsWith(prefix))) {
      const value = this.#parsed(key);
      if (value !== undefined) found.set(key, value);
    }
    return Promise.resolve(found);
  }

  write(key: string, value: unknown, options?: { readonly secret?: boolean }): Promise<void> {
    return this.#store.set(key, Buffer.from(JSON.stringify(value)), options);
  }

  remove(key: string): Promise<void> {
    return this.#store.delete(key);
  }

  #parsed(key: string): unknown {
    const bytes = this.#store.get(key);
    if (bytes === undefined) return undefined;
    try {
      return JSON.parse(
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'),
      ) as unknown;
    } catch (error) {
      this.#log.warn({ err: error, key }, 'a value of the edge cannot be read, and is passed over');
      return undefined;
    }
  }
}
