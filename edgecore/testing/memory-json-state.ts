import type { JsonState } from '../src/state/json-state.ts';

/** A {@link JsonState} in memory, that also shows what was asked of it. */
export class MemoryJsonState implements JsonState {
  /** JSON texts by key. */
  readonly values = new Map<string, string>();
  /** Keys that were written as secrets. */
  readonly secrets = new Set<string>();
  writes = 0;
  /** Set: every write is refused with it. */
  failure: Error | undefined;

  read(key: string): Promise<unknown> {
    const text = this.values.get(key);
    return Promise.resolve(text === undefined ? undefined : JSON.parse(text));
  }

  readAll(prefix: string): Promise<ReadonlyMap<string, unknown>> {
    const found = [...this.values].filter(([key]) => key.startsWith(prefix));
    return Promise.resolve(new Map(found.map(([key, text]) => [key, JSON.parse(text) as unknown])));
  }

  write(key: string, value: unknown, options?: { readonly secret?: boolean }): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.writes += 1;
    this.values.set(key, JSON.stringify(value));
    if (options?.secret === true) this.secrets.add(key);
    return Promise.resolve();
  }

  remove(key: string): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.values.delete(key);
    this.secrets.delete(key);
    return Promise.resolve();
  }
}
