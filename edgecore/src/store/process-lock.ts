import { statSync, truncateSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { EdgeCoreError } from '../errors.ts';
import { isDamage, reasonOf, sqliteCode } from './damage.ts';
import { touch, type DataDir } from './data-dir.ts';
import { Sqlite } from './sqlite.ts';

/** How long to wait for a process that is about to end, in milliseconds. */
const LOCK_TIMEOUT_MS = 1000;

/**
 * Holds a folder for one process: an exclusive SQLite transaction on a small file, in which nothing is ever written.
 * That is a lock of the operating system, which goes with the process however it ends; Node.js has no other way to
 * take one. It also holds between two stores of one process, where POSIX locks alone would not.
 */
export class ProcessLock {
  readonly #dir: DataDir;
  #db: Database.Database | undefined;

  constructor(dir: DataDir) {
    this.#dir = dir;
  }

  /** @throws EdgeCoreError `ERR_EDGE_STORE_IN_USE`, `ERR_EDGE_STORE_DATA_DIR` */
  acquire(): void {
    const { lock, path } = this.#dir;
    try {
      touch(lock);
      this.#lock();
    } catch (error) {
      this.release();
      const code = sqliteCode(error);
      if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
        throw new EdgeCoreError(
          'ERR_EDGE_STORE_IN_USE',
          `${path} is in use by another edgecore. Stop it, or give this one a folder of its own.`,
          { about: path, cause: error },
        );
      }
      throw new EdgeCoreError('ERR_EDGE_STORE_DATA_DIR', `${lock} cannot be locked: ${reasonOf(error)}`, {
        about: lock,
        cause: error,
      });
    }
  }

  /** Idempotent. */
  release(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  #lock(): void {
    try {
      this.#begin();
    } catch (error) {
      if (!isDamage(error)) throw error;
      // Something was written into it. It could be read, so nobody holds it.
      this.release();
      truncateSync(this.#dir.lock);
      this.#begin();
    }
  }

  #begin(): void {
    this.#db = new Sqlite(this.#dir.lock, { timeout: LOCK_TIMEOUT_MS });
    this.#db.pragma('journal_mode = OFF');
    // An empty file would be written to at every start, which a full disk does not allow.
    if (statSync(this.#dir.lock).size === 0) {
      this.#db.pragma('page_size = 512');
      this.#db.pragma('user_version = 1');
    }
    this.#db.exec('BEGIN EXCLUSIVE');
  }
}
