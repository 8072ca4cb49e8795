import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { ContentHash, OutboxEntry } from '@hawser/sync';
import { EdgeCoreError } from '../errors.ts';
import type { BodyCodec } from './body-codec.ts';
import { DamageError, isFull } from './damage.ts';
import { headerHolds } from './file-header.ts';
import { createSchema, migrate, MIGRATIONS, writeAbout, type Migration } from './schema.ts';
import { LIMIT_CONTENT_BYTES, LIMIT_STATE_BYTES } from './store-limits.ts';
import type { InventoryItem, Job, ReadContent, StateChange } from './store-protocol.ts';
import {
  FORM,
  sumHolds,
  TABLES,
  TableWriter,
  type ObjectRow,
  type OutboxRow,
  type ScopeRow,
  type StateRow,
  type Table,
} from './tables.ts';
import { Sqlite } from './sqlite.ts';

/** Smaller pages write less to flash: most rows have less than one (see ADR 14). */
const PAGE_BYTES = 1024;
/** A small page cache: what is listed is in memory already. */
const CACHE_KIB = 256;
/** What the log is cut back to after a large transaction, in bytes. */
const LOG_LIMIT_BYTES = 4 * 2 ** 20;
/** Frames in the log from which on it is merged into the database. */
const MERGE_FRAMES = 1000;
/** Where SQLite merges by itself, during a commit, should we not have come to it. */
const MERGE_FRAMES_AT_LAST = 4 * MERGE_FRAMES;

/** Whether a content must not stand on disk in plain text. */
export function isSecret(key: string): boolean {
  return key.startsWith('secrets/');
}

/** Identity of content: SHA-256, first 16 bytes, as hex. */
export function hashOf(bytes: Uint8Array): ContentHash {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

/** What {@link StoreFile.load} could not open: rows sealed with another key, or altered since. */
export interface LostSecrets {
  /** The key is another one. */
  readonly keyChanged: boolean;
  readonly objects: readonly { readonly scope: string; readonly key: string }[];
  readonly state: readonly string[];
}

/** How a {@link StoreFile} is opened. */
export interface StoreFileOptions {
  readonly codec: BodyCodec;
  /** What the file may grow to, in bytes. */
  readonly limitBytes: number;
  /** Default: `MIGRATIONS`. */
  readonly migrations?: readonly Migration[];
}

interface Writers {
  readonly object: TableWriter;
  readonly scope: TableWriter;
  readonly outbox: TableWriter;
  readonly state: TableWriter;
}

/**
 * The database file of an edge store, with one connection that keeps it locked. Synchronous: it belongs in a worker
 * thread. A commit returns after the data was flushed (write-ahead log, synchronous=FULL).
 *
 * Every method may throw an SqliteError; `isDamage` tells those that say that the file is damaged.
 */
export class StoreFile {
  readonly #db: Database.Database;
  readonly #codec: BodyCodec;
  readonly #writers: Writers;
  readonly #readObject: Database.Statement<[string, string], ObjectRow & { sum: Uint8Array }>;
  /** About how many frames the log has that are not merged. */
  #frames = 0;

  private constructor(db: Database.Database, codec: BodyCodec) {
    this.#db = db;
    this.#codec = codec;
    this.#writers = {
      object: new TableWriter(db, TABLES.object),
      scope: new TableWriter(db, TABLES.scope),
      outbox: new TableWriter(db, TABLES.outbox),
      state: new TableWriter(db, TABLES.state),
    };
    this.#readObject = db.prepare('SELECT * FROM object WHERE scope = ? AND key = ?');
  }

  /**
   * Opens a file, checks its structure, brings it to the newest schema version and merges its log.
   * @throws EdgeCoreError `ERR_EDGE_STORE_TOO_NEW`; DamageError.
   */
  static open(path: string, options: StoreFileOptions): StoreFile {
    if (!headerHolds(path)) throw new DamageError('its header is not as it was written');
    return StoreFile.#checked(connect(path), options);
  }

  /** Opens the bytes of a database. Writes change the memory only. @throws as {@link open} */
  static openImage(image: Buffer, options: StoreFileOptions): StoreFile {
    return StoreFile.#checked(new Sqlite(image), options);
  }

  /** Makes a file, or with an empty path a store in memory. There must be none yet. */
  static create(path: string, { codec, limitBytes, migrations }: StoreFileOptions): StoreFile {
    const db = path === '' ? new Sqlite(':memory:') : connect(path);
    try {
      createSchema(db, codec.keyId, migrations);
      limit(db, limitBytes);
      return new StoreFile(db, codec);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  static #checked(db: Database.Database, { codec, limitBytes, migrations }: StoreFileOptions): StoreFile {
    try {
      checkStructure(db);
      migrate(db, migrations ?? MIGRATIONS);
      limit(db, limitBytes);
      const file = new StoreFile(db, codec);
      file.#mergeAtOpen();
      return file;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /**
   * Reads every row and checks it; rows that were sealed with another key, or do not open, are removed.
   * @throws DamageError when a row is not what was written.
   */
  load(keep: (item: InventoryItem) => void): LostSecrets {
    const about = this.#db.prepare('SELECT key_id FROM about').pluck().get() as Uint8Array;
    const keyChanged = Buffer.compare(about, this.#codec.keyId) !== 0;
    const objects: { scope: string; key: string }[] = [];
    const state: string[] = [];
    for (const row of this.#rows<ObjectRow>(TABLES.object)) {
      const { scope, key, version, size: sizeBytes } = row;
      const hash = this.#hashIn(row);
      if (hash === undefined) objects.push({ scope, key });
      else keep({ type: 'object', scope, key, hash, version, sizeBytes });
    }
    for (const row of this.#rows<ScopeRow>(TABLES.scope)) {
      const record = { normalForm: row.normal_form, stamp: Uint8Array.from(row.stamp) };
      keep({ type: 'scope', scope: row.scope, record });
    }
    for (const row of this.#rows<StateRow>(TABLES.state)) {
      const bytes = this.#opened(row, ['state', row.key], LIMIT_STATE_BYTES);
      if (bytes === undefined) state.push(row.key);
      else keep({ type: 'state', key: row.key, bytes, secret: row.form === FORM.sealed });
    }
    for (const row of this.#rows<OutboxRow>(TABLES.outbox)) {
      // Only checked: their owner loads them.
      this.#codec.unwrap(row, ['outbox', row.key], LIMIT_CONTENT_BYTES);
    }
    this.#forget({ keyChanged, objects, state });
    // Everything has passed through the cache; little of it is wanted again.
    this.#db.pragma('shrink_memory');
    return { keyChanged, objects, state };
  }

  /** A content. @throws DamageError where the row is not what was written, or the content not what its hash says. */
  read(scope: string, key: string): ReadContent | undefined {
    const row = this.#readObject.get(scope, key);
    if (row === undefined) return undefined;
    if (!sumHolds(TABLES.object, { ...row }))
      throw new DamageError(`the checksum of ${scope} ${key} is wrong`);
    const bytes = this.#codec.unwrap(row, ['object', scope, key], row.size);
    const hash = hashOf(bytes);
    if (row.form !== FORM.sealed && hash !== Buffer.from(row.hash).toString('hex')) {
      throw new DamageError(`the content of ${scope} ${key} is not what its hash says`);
    }
    return { hash, bytes };
  }

  /** Everything that waits for the cloud, in its order. @throws DamageError when a row is not what was written. */
  outbox(): OutboxEntry[] {
    const entries: OutboxEntry[] = [];
    for (const row of this.#rows<OutboxRow>(TABLES.outbox)) {
      const { key, kind, position: order, keep } = row;
      const body = this.#codec.unwrap(row, ['outbox', key], LIMIT_CONTENT_BYTES);
      entries.push({ key, kind, order, keep: keep !== 0, body });
    }
    return entries.sort((one, other) => one.order - other.order);
  }

  /** Does all jobs in one transaction; when this returns, they are on disk. */
  commit(jobs: readonly Job[]): void {
    this.#db.transaction(() => jobs.forEach((job) => this.#do(job))).immediate();
  }

  /** Whether the log has grown so far that it should be merged now. */
  get wantsMerge(): boolean {
    return this.#frames >= MERGE_FRAMES;
  }

  /** Whether the log has nothing that the database does not have, as far as it is known. */
  get isMerged(): boolean {
    return this.#frames === 0;
  }

  /** Merges the log into the database. What was acknowledged is on disk before and after. */
  merge(): void {
    this.#db.pragma('wal_checkpoint(PASSIVE)');
    this.#frames = 0;
  }

  /** Merges the log and lets go of the file. `beforeEnd` is called when the log is merged. */
  close(beforeEnd: () => void = () => {}): void {
    if (!this.#db.open) return;
    try {
      if (!this.#db.memory) this.merge();
      beforeEnd();
    } finally {
      this.#db.close();
    }
  }

  /** The connection, to copy rows into it. */
  get connection(): Database.Database {
    return this.#db;
  }

  /**
   * After a flush that failed, the cache of the system may hold what the disk does not. Merging the log writes it once
   * more, and flushes it: what is read from here on is on the disk. A full disk may not let it; it is tried later.
   */
  #mergeAtOpen(): void {
    if (this.#db.memory) return;
    try {
      this.merge();
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#frames = MERGE_FRAMES;
    }
  }

  *#rows<Row extends object>(table: Table): Generator<Row> {
    for (const row of this.#db
      .prepare<[], Record<string, unknown>>(`SELECT * FROM ${table.name}`)
      .iterate()) {
      if (!sumHolds(table, row)) {
        const name = table.key.map((column) => String(row[column])).join(' ');
        throw new DamageError(`the checksum of ${table.name} ${name} is wrong`);
      }
      yield row as Row; // the checksum holds, so it is what was written
    }
  }

  /** The hash of an object: of a sealed one, that of what was sealed; undefined where it does not open. */
  #hashIn({ scope, key, hash, size, form, body }: ObjectRow): ContentHash | undefined {
    if (form !== FORM.sealed) return Buffer.from(hash).toString('hex');
    const bytes = this.#opened({ form, body }, ['object', scope, key], size);
    return bytes === undefined ? undefined : hashOf(bytes);
  }

  #opened(
    row: { form: number; body: Uint8Array },
    place: readonly string[],
    limitBytes: number,
  ): Uint8Array | undefined {
    try {
      return Uint8Array.from(this.#codec.unwrap(row, place, limitBytes));
    } catch (error) {
      if (error instanceof DamageError && row.form === FORM.sealed) return undefined;
      throw error;
    }
  }

  #forget({ keyChanged, objects, state }: LostSecrets): void {
    if (this.#db.readonly || (!keyChanged && objects.length === 0 && state.length === 0)) return;
    this.#db.transaction(() => {
      for (const { scope, key } of objects) this.#writers.object.remove([scope, key]);
      for (const key of state) this.#writers.state.remove([key]);
      const schema = Number(this.#db.pragma('user_version', { simple: true }));
      if (keyChanged) writeAbout(this.#db, { schema, keyId: this.#codec.keyId });
    })();
  }

  #do(job: Job): void {
    switch (job.type) {
      case 'apply':
        this.#apply(job);
        return;
      case 'outbox':
        for (const key of job.remove) this.#writers.outbox.remove([key]);
        for (const entry of job.put) this.#putEntry(entry);
        return;
      case 'state':
        this.#changeState(job.change);
        return;
    }
  }

  #apply({ scope, changes, record }: Extract<Job, { type: 'apply' }>): void {
    for (const change of changes) {
      if ('remove' in change) {
        this.#writers.object.remove([scope, change.remove]);
        this.#frames += 1;
        continue;
      }
      const { key, hash, version, bytes } = change.put;
      if (hashOf(bytes) !== hash) {
        throw new EdgeCoreError(
          'ERR_EDGE_STORE_VALUE',
          `${key} of ${scope} has the hash ${hash}, its content has another`,
          { about: key },
        );
      }
      const secret = isSecret(key);
      const { form, body } = this.#codec.wrap(bytes, ['object', scope, key], secret);
      const identity = secret ? new Uint8Array(0) : Buffer.from(hash, 'hex');
      this.#writers.object.put([scope, key, version, identity, bytes.length, form, body]);
      this.#count(body);
    }
    if (record !== undefined) {
      this.#writers.scope.put([scope, record.normalForm, record.stamp]);
      this.#count(record.stamp);
    }
  }

  #putEntry({ key, kind, order, keep, body: bytes }: OutboxEntry): void {
    const { form, body } = this.#codec.wrap(bytes, ['outbox', key], false);
    this.#writers.outbox.put([key, kind, order, keep ? 1 : 0, form, body]);
    this.#count(body);
  }

  #changeState(change: StateChange): void {
    if ('remove' in change) {
      this.#writers.state.remove([change.remove]);
      return;
    }
    const { key, bytes, secret } = change.put;
    const { form, body } = this.#codec.wrap(bytes, ['state', key], secret);
    this.#writers.state.put([key, form, body]);
    this.#count(body);
  }

  #count(body: Uint8Array): void {
    this.#frames += 1 + Math.ceil(body.length / PAGE_BYTES);
  }
}

function connect(path: string): Database.Database {
  const db = new Sqlite(path);
  try {
    // One process owns the file. This also keeps the log's index in memory instead of in a third file.
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma(`page_size = ${PAGE_BYTES}`);
    const mode = db.pragma('journal_mode = WAL', { simple: true });
    if (mode !== 'wal') throw new Error(`the file system allows no write-ahead log (${String(mode)})`);
    db.pragma('synchronous = FULL');
    db.pragma(`cache_size = ${-CACHE_KIB}`);
    db.pragma(`journal_size_limit = ${LOG_LIMIT_BYTES}`);
    db.pragma(`wal_autocheckpoint = ${MERGE_FRAMES_AT_LAST}`);
    db.pragma('cell_size_check = ON');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function limit(db: Database.Database, limitBytes: number): void {
  db.pragma(`max_page_count = ${Math.max(1, Math.floor(limitBytes / PAGE_BYTES))}`);
}

/** Reads every page, and compares tables with their indexes. */
function checkStructure(db: Database.Database): void {
  const found = db.prepare('PRAGMA integrity_check(1)').pluck().get();
  if (found !== 'ok') throw new DamageError(String(found));
}
