import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { EdgeCoreError } from '../errors.ts';
import { reasonOf, sqliteCode } from './damage.ts';
import type { StoreFinding } from './store-report.ts';

/** Damaged databases that are kept; older ones are removed. */
const LIMIT_SET_ASIDE = 2;
const DIR_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * The folder of a store (0700, files 0600):
 *
 *     edge.db                 the database
 *     edge.db-wal             its write-ahead log: what was acknowledged and is not in edge.db yet
 *     edge.db-unmerged        empty; there while edge.db-wal holds writes that edge.db does not have
 *     edge.db.new             a database being made; renamed to edge.db when it is whole
 *     edge.db.damaged-<time>  a damaged database that was set aside, at most 2 of them (-wal beside it)
 *     edge.lock               locked by the process that uses the folder
 *     store.key               the key of what is encrypted, unless systemd gives one
 */
export class DataDir {
  readonly path: string;
  readonly database: string;
  readonly log: string;
  readonly unmerged: string;
  readonly next: string;
  readonly lock: string;
  readonly key: string;

  constructor(dir: string) {
    this.path = dir;
    this.database = path.join(dir, 'edge.db');
    this.log = `${this.database}-wal`;
    this.unmerged = `${this.database}-unmerged`;
    this.next = `${this.database}.new`;
    this.lock = path.join(dir, 'edge.lock');
    this.key = path.join(dir, 'store.key');
  }

  /**
   * Makes the folder if it is not there. @returns whether it is on a read-only file system.
   * @throws EdgeCoreError `ERR_EDGE_STORE_DATA_DIR`
   */
  prepare(): boolean {
    try {
      mkdirSync(this.path, { recursive: true, mode: DIR_MODE });
      accessSync(this.path, constants.R_OK | constants.W_OK | constants.X_OK);
      return false;
    } catch (error) {
      if (sqliteCode(error) === 'EROFS' && existsSync(this.path)) return true;
      throw new EdgeCoreError(
        'ERR_EDGE_STORE_DATA_DIR',
        `the folder ${this.path} cannot be used: ${reasonOf(error)}`,
        { about: this.path, cause: error },
      );
    }
  }

  /** Takes away what others may do with the folder and its files. @returns what it found. */
  repairModes(): StoreFinding[] {
    const findings: StoreFinding[] = [];
    const names = readdirSync(this.path).filter((name) => /^(edge\.(db|lock)|store\.key)/.test(name));
    for (const target of [this.path, ...names.map((name) => path.join(this.path, name))]) {
      const mode = statSync(target).mode & 0o777;
      if ((mode & 0o077) === 0) continue;
      const wanted = target === this.path ? DIR_MODE : FILE_MODE;
      chmodSync(target, wanted);
      findings.push({
        kind: 'mode-repaired',
        message: `${target} had mode ${mode.toString(8)} and was open to other users; it has ${wanted.toString(8)} now.`,
      });
    }
    return findings;
  }

  /** Whether the file system is read-only now; it may become so when the kernel meets an error. */
  isReadOnly(): boolean {
    try {
      accessSync(this.path, constants.W_OK);
      return false;
    } catch (error) {
      return sqliteCode(error) === 'EROFS';
    }
  }

  /** Moves the database and its log away. The database goes first: without it, an open starts from `next`. */
  setAside(nowMs: number): string {
    const time = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-');
    const aside = `${this.database}.damaged-${time}`;
    if (existsSync(this.database)) renameSync(this.database, aside);
    if (existsSync(this.log)) renameSync(this.log, `${aside}-wal`);
    rmSync(this.unmerged, { force: true });
    this.prune(LIMIT_SET_ASIDE);
    return aside;
  }

  /** Moves the log away, for a database that is to be opened without it. */
  setLogAside(nowMs: number): void {
    const time = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-');
    renameSync(this.log, `${this.database}.damaged-${time}-wal`);
  }

  /** Puts the database that was made in its place. */
  install(): void {
    renameSync(this.next, this.database);
    this.sync();
  }

  /** Removes what is left of a database that was not finished. */
  discardNext(): void {
    for (const file of [this.next, `${this.next}-wal`, `${this.next}-journal`]) rmSync(file, { force: true });
  }

  /** Makes names durable. */
  sync(): void {
    const dir = openSync(this.path, 'r');
    try {
      fsyncSync(dir);
    } finally {
      closeSync(dir);
    }
  }

  /** Removes databases that were set aside, but for the newest ones. */
  prune(kept: number): void {
    const prefix = `${path.basename(this.database)}.damaged-`;
    const names = readdirSync(this.path).filter((name) => name.startsWith(prefix));
    const times = [...new Set(names.map((name) => name.replace(/-wal$/, '')))].sort().reverse();
    for (const name of times.slice(kept)) {
      for (const file of [name, `${name}-wal`]) rmSync(path.join(this.path, file), { force: true });
    }
  }
}

/** Makes an empty file, 0600, if there is none. */
export function touch(file: string): void {
  closeSync(openSync(file, 'a', FILE_MODE));
}
