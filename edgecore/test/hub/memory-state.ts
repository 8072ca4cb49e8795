import type { StateStore } from '../../src/store/state-store.ts';

/** A state in memory. */
export class MemoryState implements StateStore {
  readonly values = new Map<string, Uint8Array>();
  /** Set: every write is refused with it. */
  failure: Error | undefined;

  get(key: string): Uint8Array | undefined {
    return this.values.get(key);
  }

  keys(): readonly string[] {
    return [...this.values.keys()];
  }

  set(key: string, bytes: Uint8Array): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.values.set(key, bytes);
    return Promise.resolve();
  }

  delete(key: string): Promise<void> {
    this.values.delete(key);
    return Promise.resolve();
  }
}
