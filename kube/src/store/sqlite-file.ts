import { closeSync, fchmodSync, fsyncSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import { KubeError } from '../errors.ts';
import { migrate } from './sqlite-schema.ts';
import type { LogRow, StoredState, WriteBatch } from './sqlite-protocol.ts';

interface FileRow extends Omit<LogRow, 'deleted'> {
  readonly deleted: number;
  readonly crc: number;
}

interface Statements {
  readonly insert: Database.Statement;
  readonly drop: Database.Statement;
  readonly setState: Database.Statement;
}

/** A small page cache: everything that is read is in memory already. */
const CACHE_KIB = 2048;
/** What the write-ahead log is cut back to after a large transaction, in bytes. */
const WAL_LIMIT_BYTES = 16 * 2 ** 20;
/** How long to wait for another process to let go of the file, in milliseconds. */
const BUSY_TIMEOUT_MS = 1000;

/**
 * The database file of an object store, with one connection that keeps it locked. Synchronous: it belongs in a
 * worker thread. A commit returns after the data was flushed (WAL, synchronous=FULL).
 */
export class SqliteFile {
  readonly #path: string;
  readonly #limitBytes: number;
  #db: Database.Database | undefined;
  #statements: Statements | undefined;
  /** The error after which nobody knows what is on disk. */
  #broken: Error | undefined;

  constructor(path: string, limitBytes: number) {
    this.#path = path;
    this.#limitBytes = limitBytes;
  }

  /**
   * Opens, or makes, the file. Its mode is 0600: it holds secrets.
   * @throws KubeError `ERR_KUBE_STORE_DAMAGED`, `ERR_KUBE_STORE_FOREIGN`, `ERR_KUBE_STORE_TOO_NEW`,
   * `ERR_KUBE_STORE_IN_USE`, `ERR_KUBE_STORE_CANNOT_OPEN`.
   */
  open(): void {
    try {
      closeSync(openSync(this.#path, 'a', 0o600));
      this.#db = new Database(this.#path, { timeout: BUSY_TIMEOUT_MS });
      configure(this.#db);
      migrate(this.#db);
      const pageBytes = Number(this.#db.pragma('page_size', { simple: true }));
      this.#db.pragma(`max_page_count = ${Math.max(1, Math.floor(this.#limitBytes / pageBytes))}`);
      this.#statements = prepare(this.#db);
    } catch (error) {
      this.close();
      throw openError(this.#path, error);
    }
  }

  /** The counters. */
  state(): StoredState {
    const row = this.#opened().prepare('SELECT revision, compacted FROM state').get();
    return row as StoredState; // the one row that the schema makes
  }

  /**
   * All rows in order of version.
   * @throws KubeError `ERR_KUBE_STORE_DAMAGED` when a row is not what was written.
   */
  *rows(): Generator<LogRow> {
    const all = this.#opened().prepare<[], FileRow>(
      'SELECT version, previous, deleted, "group", resource, namespace, name, body, crc FROM log ORDER BY version',
    );
    try {
      for (const { crc, deleted, ...rest } of all.iterate()) {
        const row: LogRow = { ...rest, deleted: deleted !== 0 };
        if (checksum(row) !== crc) {
          throw damaged(this.#path, `the checksum of ${row.resource} ${row.namespace}/${row.name} is wrong`);
        }
        yield row;
      }
    } catch (error) {
      throw openError(this.#path, error);
    }
  }

  /**
   * Writes a batch in one transaction; when this returns, it is on disk.
   * @throws SqliteError. If it is SQLITE_FULL, nothing of the batch was written. Any other is thrown at every write
   * from then on: after a flush that failed, one that succeeds does not mean that everything is on disk.
   */
  write(batch: WriteBatch): void {
    if (this.#broken !== undefined) throw this.#broken;
    try {
      this.#commit(batch);
    } catch (error) {
      if (error instanceof Error && codeOf(error) !== 'SQLITE_FULL') this.#broken = error;
      throw error;
    }
  }

  #commit({ rows, drop, state }: WriteBatch): void {
    const statements = this.#statements;
    if (statements === undefined) throw new TypeError('write before open');
    this.#opened()
      .transaction(() => {
        for (const version of drop) statements.drop.run(version);
        for (const row of rows) {
          const { version, previous, group, resource, namespace, name, body } = row;
          const deleted = row.deleted ? 1 : 0;
          statements.insert.run(
            version,
            previous,
            deleted,
            group,
            resource,
            namespace,
            name,
            body,
            checksum(row),
          );
        }
        statements.setState.run(state.revision, state.compacted);
      })
      .immediate();
  }

  /**
   * Writes a compact copy of the present state; when this returns, it is on disk.
   * @throws SqliteError if there is a file of this name, or it cannot be written.
   */
  backup(path: string): void {
    this.#opened().prepare('VACUUM INTO ?').run(path);
    const copy = openSync(path, 'r+');
    try {
      fchmodSync(copy, 0o600);
      fsyncSync(copy);
    } finally {
      closeSync(copy);
    }
  }

  /** Merges the write-ahead log into the file and lets go of it. Idempotent. */
  close(): void {
    this.#db?.close();
    this.#db = undefined;
    this.#statements = undefined;
  }

  #opened(): Database.Database {
    if (this.#db === undefined) throw new TypeError('the file is not open');
    return this.#db;
  }
}

function configure(db: Database.Database): void {
  // One process owns the file. This also keeps the WAL's index in memory instead of in a third file.
  db.pragma('locking_mode = EXCLUSIVE');
  const mode = db.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal')
    throw new Error(`the file system does not allow a write-ahead log (journal mode ${String(mode)})`);
  db.pragma('synchronous = FULL');
  db.pragma(`cache_size = ${-CACHE_KIB}`);
  db.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`);
}

function prepare(db: Database.Database): Statements {
  return {
    insert: db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    drop: db.prepare('DELETE FROM log WHERE version = ?'),
    setState: db.prepare('UPDATE state SET revision = ?, compacted = ?'),
  };
}

/** SQLite has no checksums of its own: a flipped bit in a body would go unnoticed. */
function checksum({ version, previous, deleted, group, resource, namespace, name, body }: LogRow): number {
  return crc32([version, previous, deleted, group, resource, namespace, name, body].join('\0'));
}

function damaged(path: string, what: string, cause?: unknown): KubeError {
  return new KubeError(
    'ERR_KUBE_STORE_DAMAGED',
    `${path} is damaged: ${what}. Move it (with ${path}-wal beside it) out of the way and restore a backup; ` +
      `\`sqlite3 ${path} .recover\` shows what can still be read. Started without it, the store is empty.`,
    { about: path, cause },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function openError(path: string, error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return damaged(path, message, error);
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new KubeError(
      'ERR_KUBE_STORE_IN_USE',
      `${path} is in use by another process. Stop it, or give another path.`,
      { about: path, cause: error },
    );
  }
  return new KubeError('ERR_KUBE_STORE_CANNOT_OPEN', `cannot open ${path}: ${message}`, {
    about: path,
    cause: error,
  });
}
