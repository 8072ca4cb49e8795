import type { ContentKey, ReplicaEntry, ReplicaStore } from '@hawser/sync';
import { EdgeCoreError } from '../errors.ts';
import type { ApiObject, ObjectSource } from './object-source.ts';

/** What a {@link ReplicaObjects} needs. */
export interface ReplicaObjectsOptions {
  readonly replica: ReplicaStore;
  /** `node/<name>`. */
  readonly scope: string;
  /** Whether an object is missing because the disk lost it, and nobody took it away. */
  readonly isLost: (key: ContentKey) => boolean;
  /**
   * Bytes of JSON whose parsed form is kept, of the objects used last. Default 256 KiB: what many pods share (the
   * authority's certificate, pull secrets) is read once.
   */
  readonly keptBytes?: number;
}

interface Kept {
  readonly hash: string;
  readonly object: ApiObject;
  readonly bytes: number;
}

const DEFAULT_KEPT_BYTES = 256 * 1024;

/**
 * The {@link ObjectSource} over what the hub gave: objects of one scope, parsed. What was read is used again for as
 * long as the replica lists the same hash; readers of one object at a time share a read.
 */
export class ReplicaObjects implements ObjectSource {
  readonly #options: ReplicaObjectsOptions;
  readonly #keptBytes: number;
  /** The one used last is the last. */
  readonly #kept = new Map<ContentKey, Kept>();
  readonly #reads = new Map<string, Promise<ApiObject | undefined>>();
  #bytes = 0;

  constructor(options: ReplicaObjectsOptions) {
    this.#options = options;
    this.#keptBytes = options.keptBytes ?? DEFAULT_KEPT_BYTES;
  }

  /** @throws EdgeCoreError `ERR_EDGE_STORE_DAMAGED`: it was lost, or cannot be read; the hub sends it again */
  async get(key: ContentKey): Promise<ApiObject | undefined> {
    const entry = this.#entry(key);
    if (entry === undefined) {
      this.#forget(key);
      if (this.#options.isLost(key)) throw damaged(key, 'was lost to damage of the disk');
      return undefined;
    }
    const kept = this.#kept.get(key);
    if (kept?.hash === entry.hash) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept.object;
    }
    const name = `${entry.hash} ${key}`;
    let read = this.#reads.get(name);
    if (read === undefined) {
      read = this.#read(key, entry).finally(() => this.#reads.delete(name));
      this.#reads.set(name, read);
    }
    return read;
  }

  listen(listener: (keys: readonly ContentKey[]) => void): () => void {
    return this.#options.replica.listen((scope, keys) => {
      if (scope === this.#options.scope && keys.length > 0) listener(keys);
    });
  }

  #entry(key: ContentKey): ReplicaEntry | undefined {
    return this.#options.replica.entries(this.#options.scope).get(key);
  }

  async #read(key: ContentKey, { hash }: ReplicaEntry): Promise<ApiObject | undefined> {
    const bytes = await this.#options.replica.read(this.#options.scope, key);
    if (bytes === undefined) return undefined;
    const object = parse(key, bytes);
    // What came meanwhile is another object; a listener has its key, and asks again.
    if (this.#entry(key)?.hash === hash) this.#keep(key, { hash, object, bytes: bytes.length });
    return object;
  }

  #keep(key: ContentKey, kept: Kept): void {
    this.#forget(key);
    if (kept.bytes > this.#keptBytes / 2) return;
    this.#kept.set(key, kept);
    this.#bytes += kept.bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#keptBytes) return;
      this.#forget(oldest);
    }
  }

  #forget(key: ContentKey): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}

function parse(key: ContentKey, bytes: Uint8Array): ApiObject {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    throw damaged(key, `is no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(key, 'is no object');
  return value as ApiObject;
}

function damaged(key: ContentKey, what: string): EdgeCoreError {
  return new EdgeCoreError('ERR_EDGE_STORE_DAMAGED', `${key} ${what}`, { about: key });
}
