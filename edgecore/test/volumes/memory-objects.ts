import type { ContentKey } from '@hawser/sync';
import type { ApiObject, ObjectSource } from '../../src/objects/object-source.ts';

/** An {@link ObjectSource} that a test fills. */
export class MemoryObjects implements ObjectSource {
  readonly #objects = new Map<ContentKey, ApiObject>();
  readonly #listeners = new Set<(keys: readonly ContentKey[]) => void>();
  /** What the next reads of a key wait for. */
  readonly holds = new Map<ContentKey, Promise<void>>();
  /** Keys that cannot be read. */
  readonly broken = new Set<ContentKey>();
  reads = 0;

  get listeners(): number {
    return this.#listeners.size;
  }

  async get(key: ContentKey): Promise<ApiObject | undefined> {
    this.reads += 1;
    const object = this.#objects.get(key);
    await this.holds.get(key);
    if (this.broken.has(key)) throw new Error(`${key} cannot be read`);
    return object;
  }

  listen(listener: (keys: readonly ContentKey[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** undefined: takes it away. */
  set(key: ContentKey, object: ApiObject | undefined): void {
    if (object === undefined) this.#objects.delete(key);
    else this.#objects.set(key, object);
    for (const listener of this.#listeners) listener([key]);
  }

  configMap(name: string, data: Readonly<Record<string, string>> | undefined): void {
    this.set(`configmaps/default/${name}`, data && { data });
  }

  secret(name: string, data: Readonly<Record<string, string>> | undefined): void {
    const encoded = Object.entries(data ?? {}).map(([key, text]) => [
      key,
      Buffer.from(text).toString('base64'),
    ]);
    this.set(
      `secrets/default/${name}`,
      data && { data: Object.fromEntries(encoded) as Record<string, string> },
    );
  }
}
