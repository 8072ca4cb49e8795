import { deferred, type Deferred } from '@hawser/seams';
import { KubeError } from '../errors.ts';
import type { KubeObject } from '../meta/object.ts';
import { tooManyRequests } from '../status/status-errors.ts';
import { DiskWriter, type LoadReceiver } from './disk-writer.ts';
import { entryFromText } from './entry.ts';
import type { SizedEvent } from './event-log.ts';
import { History, resourceId, type HistoryLimits } from './history.ts';
import type { LogRow, StoredState, WriteBatch } from './sqlite-protocol.ts';
import type { Entry, EntryList, ObjectKey, ObjectStore, Scope, StoreWatch } from './store.ts';
import { VersionedView } from './versioned-view.ts';
import { eventOf, type Write } from './write-event.ts';

/** Settings of {@link SqliteStore.open}. */
export interface SqliteStoreOptions extends HistoryLimits {
  /** The database file; `<path>-wal` stands beside it. Its folder must exist. */
  readonly path: string;
  /** Writes that may wait for the disk; more are refused with 429. Default 10,000. */
  readonly limitPendingWrites?: number;
  /** Memory that waiting writes may take, in bytes; more are refused with 429. Default 64 MiB. */
  readonly limitPendingBytes?: number;
  /** Size that the file may reach, in bytes; then writes fail. Default 2 GiB. */
  readonly limitBytes?: number;
}

interface PendingWrite {
  readonly event: SizedEvent;
  readonly done: Deferred<undefined>;
}

const DEFAULT_PENDING_WRITES = 10_000;
const DEFAULT_PENDING_BYTES = 64 * 2 ** 20;
const DEFAULT_LIMIT_BYTES = 2 * 2 ** 30;

/** Writes in one transaction: bounds how long applying one answer holds the event loop. */
const BATCH_WRITES = 500;
/** Batches at the worker: one being flushed, and the next one ready behind it. */
const BATCHES_UNDER_WAY = 2;

/**
 * An {@link ObjectStore} in an SQLite file. All objects are in memory for reading; a thread of its own writes and
 * flushes, many writes in one flush; a write is visible once it was flushed. The watch history is in the file too, so
 * that watches go on after a restart.
 *
 * Further errors: `ERR_KUBE_STORE_WRITE_FAILED` (the disk is full; nothing was written), `ERR_KUBE_STORE_FAILED`
 * (an I/O error: the outcome of writes under way is unknown, reads go on, writes do not), StatusError
 * TooManyRequests (too many writes wait).
 */
export class SqliteStore implements ObjectStore {
  readonly #writer: DiskWriter;
  readonly #limitPendingWrites: number;
  readonly #limitPendingBytes: number;
  readonly #historyLimits: HistoryLimits;
  /** Writes not yet sent to the worker. */
  readonly #queue: PendingWrite[] = [];
  /** The one write of each object that is on its way: by key, settled either way when it is decided. */
  readonly #underWay = new Map<string, Promise<void>>();
  /** Rows that the next batch drops. */
  #drop: number[] = [];
  #view: VersionedView = new VersionedView(new History({}));
  #lastVersion = 0;
  #pendingWrites = 0;
  #pendingBytes = 0;
  #pumping = false;
  #closing: Promise<void> | undefined;

  private constructor(options: SqliteStoreOptions) {
    this.#writer = new DiskWriter({
      path: options.path,
      limitBytes: options.limitBytes ?? DEFAULT_LIMIT_BYTES,
    });
    this.#limitPendingWrites = options.limitPendingWrites ?? DEFAULT_PENDING_WRITES;
    this.#limitPendingBytes = options.limitPendingBytes ?? DEFAULT_PENDING_BYTES;
    this.#historyLimits = options;
  }

  /**
   * Opens a store, making the file if there is none.
   * @throws KubeError `ERR_KUBE_STORE_DAMAGED`, `ERR_KUBE_STORE_FOREIGN`, `ERR_KUBE_STORE_TOO_NEW`,
   * `ERR_KUBE_STORE_IN_USE`, `ERR_KUBE_STORE_CANNOT_OPEN`; each message names the path and the way out.
   */
  static async open(options: SqliteStoreOptions): Promise<SqliteStore> {
    const store = new SqliteStore(options);
    await store.#writer.load(store.#receiver(options.path));
    return store;
  }

  get resourceVersion(): number {
    return this.#view.resourceVersion;
  }

  get oldestWatchVersion(): number {
    return this.#view.oldestWatchVersion;
  }

  get(key: ObjectKey): Entry | undefined {
    return this.#view.get(key);
  }

  list(scope: Scope, options: { atVersion?: number } = {}): EntryList {
    return this.#view.list(scope, options.atVersion);
  }

  create(key: ObjectKey, object: KubeObject): Promise<Entry> {
    return this.#write({ type: 'create', key, object });
  }

  update(key: ObjectKey, expectedVersion: number, object: KubeObject): Promise<Entry> {
    return this.#write({ type: 'update', key, expectedVersion, object });
  }

  delete(key: ObjectKey, expectedVersion: number, finalObject?: KubeObject): Promise<Entry> {
    return this.#write({ type: 'delete', key, expectedVersion, finalObject });
  }

  watch(scope: Scope, options: { fromVersion: number; limitEvents?: number }): StoreWatch {
    return this.#view.watch(scope, options);
  }

  /**
   * Writes a copy of the file while the store runs: everything acknowledged before the call, compacted and flushed.
   * Writes wait meanwhile. The copy can be opened as a store.
   * @throws KubeError `ERR_KUBE_STORE_BACKUP_FAILED`, e.g. if there is a file at `path` already.
   */
  async backup(path: string): Promise<void> {
    this.#assertOpen();
    await this.#writer.backup(path);
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  #receiver(path: string): LoadReceiver {
    return {
      opened: ({ revision, compacted }) => {
        this.#lastVersion = revision;
        this.#view = new VersionedView(new History(this.#historyLimits, compacted), revision);
      },
      row: (row) => this.#restore(row, path),
    };
  }

  #restore(row: LogRow, path: string): void {
    const { group, resource, namespace, name } = row;
    const key = { group, resource, namespace, name };
    const entry = entryFromText(key, row.version, row.body);
    const previous = this.#view.get(key);
    const type = row.deleted ? 'DELETED' : row.previous === 0 ? 'ADDED' : 'MODIFIED';
    if (row.version <= this.#view.oldestWatchVersion) {
      // What it replaced was to be dropped; a batch that failed may have left it.
      this.#forget([{ type, entry, ...(previous === undefined ? {} : { previous }) }]);
      this.#view.place({ type, entry });
      return;
    }
    if ((previous?.resourceVersion ?? 0) !== row.previous) {
      throw new KubeError(
        'ERR_KUBE_STORE_DAMAGED',
        `${path} is damaged: version ${row.previous} of ${resource} ${namespace}/${name} is missing. ` +
          'Restore a backup.',
        { about: path },
      );
    }
    this.#forget(this.#view.restore({ type, entry, ...(previous === undefined ? {} : { previous }) }));
  }

  async #write(write: Write): Promise<Entry> {
    this.#admit();
    this.#pendingWrites += 1;
    try {
      return await this.#writeInTurn(write);
    } finally {
      this.#pendingWrites -= 1;
    }
  }

  /**
   * Waits for the write of the same object that is on its way, since its outcome decides ours; then checks against
   * what is visible. So nobody is told of a conflict with a state that cannot be read yet, or never will be.
   */
  async #writeInTurn(write: Write): Promise<Entry> {
    const { namespace, name } = write.key;
    const id = `${resourceId(write.key)}/${namespace}/${name}`;
    for (let other = this.#underWay.get(id); other !== undefined; other = this.#underWay.get(id)) await other;
    this.#assertOpen();
    const event = eventOf(write, this.#view.get(write.key), this.#lastVersion + 1);
    this.#lastVersion += 1;
    const done = deferred<undefined>();
    this.#underWay.set(
      id,
      done.promise.then(
        () => {},
        () => {}, // the writer itself hears of it
      ),
    );
    this.#pendingBytes += event.entry.sizeBytes;
    this.#queue.push({ event, done });
    this.#schedulePump();
    try {
      await done.promise;
      return event.entry;
    } finally {
      this.#underWay.delete(id);
      this.#pendingBytes -= event.entry.sizeBytes;
    }
  }

  #admit(): void {
    this.#assertOpen();
    if (this.#pendingWrites >= this.#limitPendingWrites || this.#pendingBytes >= this.#limitPendingBytes) {
      throw tooManyRequests('too many writes wait for the disk, please try again later', 1);
    }
  }

  #assertOpen(): void {
    this.#view.assertOpen();
    if (this.#closing !== undefined) throw new KubeError('ERR_KUBE_STORE_CLOSED', 'the store is closed');
  }

  /** After the present turn, so that writes made together are flushed together. */
  #schedulePump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#writer.underWay < BATCHES_UNDER_WAY) {
      void this.#commit(this.#queue.splice(0, BATCH_WRITES));
    }
  }

  /** Never rejects: every outcome is told to the writers. */
  async #commit(writes: readonly PendingWrite[]): Promise<void> {
    const drop = this.#drop;
    this.#drop = [];
    try {
      await this.#writer.write(this.#batchOf(writes, drop));
    } catch (error) {
      this.#drop.push(...drop);
      for (const { done } of writes) done.reject(error);
      this.#schedulePump();
      return;
    }
    for (const { event, done } of writes) {
      this.#forget(this.#view.apply(event));
      done.resolve(undefined);
    }
    this.#schedulePump();
  }

  #batchOf(writes: readonly PendingWrite[], drop: readonly number[]): WriteBatch {
    const rows = writes.map(({ event }) => rowOf(event));
    // The history's end in memory is that of all rows dropped so far, those of this batch included.
    const state: StoredState = {
      revision: rows.at(-1)?.version ?? this.#lastVersion,
      compacted: this.#view.oldestWatchVersion,
    };
    return { rows, drop, state };
  }

  /** An event that no watch can start before any more frees the state it replaced, and a deletion its own row. */
  #forget(events: readonly SizedEvent[]): void {
    for (const { type, entry, previous } of events) {
      if (previous !== undefined) this.#drop.push(previous.resourceVersion);
      if (type === 'DELETED') this.#drop.push(entry.resourceVersion);
    }
  }

  async #finish(): Promise<void> {
    await Promise.all(this.#underWay.values());
    await this.#writer.close();
    this.#view.close();
  }
}

function rowOf({ type, entry, previous }: SizedEvent): LogRow {
  const { group, resource, namespace, name } = entry.key;
  return {
    version: entry.resourceVersion,
    previous: previous?.resourceVersion ?? 0,
    deleted: type === 'DELETED',
    group,
    resource,
    namespace,
    name,
    body: JSON.stringify(entry.object),
  };
}
