import type { Logger } from '@hawser/seams';
import type {
  ContentHash,
  ContentKey,
  ReplicaChange,
  ReplicaEntry,
  ReplicaRecord,
  ReplicaStore,
} from '@hawser/sync';
import { EdgeCoreError } from '../errors.ts';
import { LIMIT_CONTENT_BYTES } from './store-limits.ts';
import type { InventoryItem } from './store-protocol.ts';
import type { LostObject } from './store-report.ts';
import type { StoreThread } from './store-thread.ts';

type Listener = (scope: string, keys: readonly ContentKey[]) => void;

const NO_RECORD: ReplicaRecord = { normalForm: 0, stamp: new Uint8Array(0) };
/** What a change takes in memory beside its bytes. */
const CHANGE_BYTES = 256;
const NO_KEYS: ReadonlySet<ContentKey> = new Set();

/** Fields in one order, so that all entries share a shape; nothing but strings and a number. */
class Entry implements ReplicaEntry {
  readonly hash: ContentHash;
  readonly version: string;
  readonly sizeBytes: number;

  constructor(hash: ContentHash, version: string, sizeBytes: number) {
    this.hash = hash;
    this.version = version;
    this.sizeBytes = sizeBytes;
  }
}

/** The {@link ReplicaStore} of an edge store: what there is in memory, contents on disk. */
export class Replica implements ReplicaStore {
  readonly #thread: StoreThread;
  readonly #log: Logger;
  /** Tells that an object was lost, and is not listed any more. */
  readonly #onLost: (object: LostObject, message: string) => void;
  readonly #scopes = new Map<string, Map<ContentKey, Entry>>();
  readonly #records = new Map<string, ReplicaRecord>();
  readonly #lost = new Map<string, Set<ContentKey>>();
  readonly #listeners = new Set<Listener>();
  /** What listeners are just being told of: who reads it at once need not wait for the disk. */
  #fresh: { readonly scope: string; readonly bytes: ReadonlyMap<ContentKey, Uint8Array> } | undefined;

  constructor(thread: StoreThread, log: Logger, onLost: (object: LostObject, message: string) => void) {
    this.#thread = thread;
    this.#log = log;
    this.#onLost = onLost;
  }

  entries(scope: string): ReadonlyMap<ContentKey, ReplicaEntry> {
    return this.#entriesOf(scope);
  }

  record(scope: string): ReplicaRecord {
    return this.#records.get(scope) ?? NO_RECORD;
  }

  /**
   * Objects that the hub wanted here when they were lost to damage, and that were neither sent again nor removed
   * since: whoever acts on what is missing from `entries` must know that nobody took these away. After a restart as
   * far as the open report knows them.
   */
  lost(scope: string): ReadonlySet<ContentKey> {
    return this.#lost.get(scope) ?? NO_KEYS;
  }

  /** @throws EdgeCoreError `ERR_EDGE_STORE_DAMAGED`: the object is not listed any more. */
  async read(scope: string, key: ContentKey): Promise<Uint8Array | undefined> {
    const entries = this.#entriesOf(scope);
    if (!entries.has(key)) return undefined;
    const fresh = this.#fresh?.scope === scope ? this.#fresh.bytes.get(key) : undefined;
    if (fresh !== undefined) return fresh;
    try {
      const content = await this.#thread.read(scope, key);
      const entry = entries.get(key);
      if (entry === undefined) return undefined; // removed meanwhile, or lost
      if (content?.hash === entry.hash) return content.bytes;
      throw damaged(scope, key, 'is not what was written');
    } catch (error) {
      if (error instanceof EdgeCoreError && error.code === 'ERR_EDGE_STORE_DAMAGED') {
        this.#lose(scope, key, error.message);
      }
      throw error;
    }
  }

  async apply(scope: string, changes: readonly ReplicaChange[], record?: ReplicaRecord): Promise<void> {
    let sizeBytes = record?.stamp.length ?? 0;
    for (const change of changes) {
      const bytes = 'put' in change ? change.put.bytes.length : 0;
      if (bytes > LIMIT_CONTENT_BYTES) throw tooLarge(scope, change, bytes);
      sizeBytes += CHANGE_BYTES + bytes;
    }
    if (changes.length === 0 && record === undefined) return;
    await this.#thread.write({ type: 'apply', scope, changes, record }, sizeBytes, () =>
      this.#show(scope, changes, record),
    );
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes what the disk has, for all that was known before. @returns objects that are not there any more. */
  reset(items: readonly InventoryItem[]): LostObject[] {
    const before: LostObject[] = [];
    for (const [scope, entries] of this.#scopes) {
      for (const key of entries.keys()) before.push({ scope, key });
      entries.clear();
    }
    this.#records.clear();
    for (const item of items) {
      if (item.type === 'scope') this.#records.set(item.scope, item.record);
      if (item.type !== 'object') continue;
      this.#entriesOf(item.scope).set(item.key, new Entry(item.hash, item.version, item.sizeBytes));
    }
    const lost = before.filter(({ scope, key }) => !this.#entriesOf(scope).has(key));
    this.markLost(lost);
    return lost;
  }

  /** Remembers objects as lost. */
  markLost(objects: readonly LostObject[]): void {
    for (const { scope, key } of objects) {
      if (this.#scopes.get(scope)?.has(key) === true) continue;
      const keys = this.#lost.get(scope) ?? new Set();
      this.#lost.set(scope, keys.add(key));
    }
  }

  #entriesOf(scope: string): Map<ContentKey, Entry> {
    let entries = this.#scopes.get(scope);
    if (entries === undefined) {
      entries = new Map();
      this.#scopes.set(scope, entries);
    }
    return entries;
  }

  #show(scope: string, changes: readonly ReplicaChange[], record: ReplicaRecord | undefined): void {
    const entries = this.#entriesOf(scope);
    const keys: ContentKey[] = [];
    for (const change of changes) {
      const key = 'put' in change ? change.put.key : change.remove;
      keys.push(key);
      this.#lost.get(scope)?.delete(key);
      if ('remove' in change) entries.delete(key);
      else entries.set(key, new Entry(change.put.hash, change.put.version, change.put.bytes.length));
    }
    if (record !== undefined) {
      this.#records.set(scope, { normalForm: record.normalForm, stamp: new Uint8Array(record.stamp) });
    }
    const puts = changes.flatMap((change) => ('put' in change ? [change.put] : []));
    this.#fresh = { scope, bytes: new Map(puts.map(({ key, bytes }) => [key, bytes])) };
    for (const listener of this.#listeners) this.#tell(listener, scope, keys);
    this.#fresh = undefined;
  }

  /** A listener that throws must keep neither the others nor the writer from hearing of it. */
  #tell(listener: Listener, scope: string, keys: readonly ContentKey[]): void {
    try {
      listener(scope, keys);
    } catch (error) {
      this.#log.error({ err: error, scope }, 'a listener of the replica failed');
    }
  }

  #lose(scope: string, key: ContentKey, message: string): void {
    if (!this.#entriesOf(scope).delete(key)) return;
    this.markLost([{ scope, key }]);
    this.#onLost({ scope, key }, message);
    // The row goes too, so that it does not stand in the way of the next start.
    const job = { type: 'apply', scope, changes: [{ remove: key }], record: undefined } as const;
    this.#thread
      .write(job, CHANGE_BYTES, () => {})
      .catch((error: unknown) => {
        this.#log.warn({ err: error, scope, key }, 'cannot remove a damaged object; the next start will');
      });
  }
}

function damaged(scope: string, key: ContentKey, what: string): EdgeCoreError {
  return new EdgeCoreError('ERR_EDGE_STORE_DAMAGED', `${key} of ${scope} ${what}; it is not used any more`, {
    about: key,
  });
}

function tooLarge(scope: string, change: ReplicaChange, bytes: number): EdgeCoreError {
  const key = 'put' in change ? change.put.key : change.remove;
  return new EdgeCoreError(
    'ERR_EDGE_STORE_VALUE',
    `${key} of ${scope} has ${bytes} bytes; at most ${LIMIT_CONTENT_BYTES} are kept`,
    { about: key },
  );
}
