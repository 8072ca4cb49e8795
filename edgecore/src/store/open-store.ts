import { existsSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { EdgeCoreError } from '../errors.ts';
import { isDamageAtOpen, isFull, reasonOf } from './damage.ts';
import { touch, type DataDir } from './data-dir.ts';
import { salvage, type Salvage } from './salvage.ts';
import { repairHeader } from './file-header.ts';
import { StoreFile, type LostSecrets, type StoreFileOptions } from './store-file.ts';
import type { InventoryItem } from './store-protocol.ts';
import type { LostObject, RowCounts, StoreFinding } from './store-report.ts';
import { readImage } from './database-image.ts';
import { inspectLog, type LogState } from './write-ahead-log.ts';
import { Sqlite } from './sqlite.ts';

const NOTHING: RowCounts = { objects: 0, scopes: 0, outbox: 0, state: 0 };
/** Objects named in a report. */
const LIMIT_NAMED = 1000;

/** What is needed to open a store, or to make it anew. */
export interface OpenSettings extends StoreFileOptions {
  readonly dir: DataDir;
  /** The folder shows that there was a store in it. */
  readonly used: boolean;
  /** Milliseconds since 1970, for the names of what is set aside. */
  readonly now: () => number;
}

/** An open file and what it holds. */
export interface OpenedStore {
  readonly file: StoreFile;
  readonly items: readonly InventoryItem[];
  readonly findings: readonly StoreFinding[];
  readonly created: boolean;
}

/**
 * Opens the database of a folder that this process has locked, and makes one where there is none or a damaged one.
 *
 * 1. A new database that was finished, but not put in place any more, is.
 * 2. The log is looked at: SQLite would drop what is behind a damaged frame without a word.
 * 3. The file is opened, its structure checked, and every row with its checksum.
 * 4. If it is damaged, a new one is made beside it, with the rows that can still be read; then the old one is set
 *    aside and the new one put in its place. A crash at any point of that loses nothing more.
 *
 * @throws EdgeCoreError `ERR_EDGE_STORE_TOO_NEW`; SqliteError where the disk fails.
 */
export function openStore(settings: OpenSettings): OpenedStore {
  const { dir } = settings;
  const findings: StoreFinding[] = [];
  if (!existsSync(dir.database)) {
    const finished = existsSync(dir.next);
    const used = settings.used || existsSync(dir.log) || existsSync(dir.unmerged);
    if (used) findings.push(fileMissing(dir, finished));
    if (!finished || !isWhole(settings)) {
      const created = findings.length === 0;
      makeAndInstall(settings);
      return { ...openAndLoad(settings, findings), created };
    }
    dir.setAside(settings.now());
    dir.install();
  }
  dir.discardNext();
  findings.push(...logFindings(settings, inspectOrSetAside(settings, false)));
  try {
    return openAndLoad(settings, findings);
  } catch (error) {
    if (!isDamageAtOpen(error)) throw error;
    findings.push(rebuild(settings, reasonOf(error)));
    return openAndLoad(settings, findings);
  }
}

/**
 * Opens a database on a read-only file system: its bytes in memory, the log merged there. What is damaged is left out.
 */
export function openReadOnly(settings: OpenSettings): OpenedStore {
  const { dir } = settings;
  if (!existsSync(dir.database))
    return loaded(StoreFile.create('', settings), dir, [fileMissing(dir, false)]);
  const state = inspectOrSetAside(settings, true);
  const findings = logFindings(settings, state);
  const image = readImage(dir.database, dir.log);
  try {
    return loaded(StoreFile.openImage(image, settings), dir, findings);
  } catch (error) {
    if (!isDamageAtOpen(error)) throw error;
    const file = StoreFile.create('', settings);
    const rows = copyImage(image, file);
    findings.push(damaged(dir, reasonOf(error), undefined, rows));
    return loaded(file, dir, findings);
  }
}

/**
 * Makes the database anew from what can still be read of it, and sets the old one aside. Nobody may have it open.
 */
export function rebuild(settings: OpenSettings, reason: string): StoreFinding {
  const { dir } = settings;
  const rows = makeCopy(settings);
  const setAside = dir.setAside(settings.now());
  dir.install();
  return damaged(dir, reason, setAside, rows);
}

/** Where there is no room for the new database beside the old one, those set aside before go. */
function makeCopy(settings: OpenSettings): Salvage | undefined {
  const { dir } = settings;
  const copy = (): Salvage | undefined => make(settings, (file) => copyFile(dir.database, file));
  dir.discardNext();
  try {
    return copy();
  } catch (error) {
    if (!isFull(error)) throw error;
    dir.discardNext();
    dir.prune(0);
    return copy();
  }
}

/** Opens the file in its place and reads it. */
export function openAndLoad(settings: OpenSettings, findings: readonly StoreFinding[]): OpenedStore {
  const file = StoreFile.open(settings.dir.database, settings);
  try {
    return loaded(file, settings.dir, findings);
  } catch (error) {
    file.close();
    throw error;
  }
}

function loaded(file: StoreFile, dir: DataDir, findings: readonly StoreFinding[]): OpenedStore {
  const items: InventoryItem[] = [];
  const lost = file.load((item) => items.push(item));
  return { file, items, findings: [...findings, ...secretFindings(dir, lost)], created: false };
}

function makeAndInstall(settings: OpenSettings): void {
  settings.dir.discardNext();
  make(settings, () => undefined);
  settings.dir.setAside(settings.now());
  settings.dir.install();
}

/** Makes a whole database beside the present one; it is on disk when this returns. */
function make<Result>(settings: OpenSettings, fill: (file: StoreFile) => Result): Result {
  touch(settings.dir.next);
  const file = StoreFile.create(settings.dir.next, settings);
  try {
    return fill(file);
  } finally {
    file.close();
  }
}

/** Whether a database that was made was finished. */
function isWhole(settings: OpenSettings): boolean {
  try {
    StoreFile.open(settings.dir.next, settings).close();
    return true;
  } catch (error) {
    if (isDamageAtOpen(error)) return false;
    throw error;
  }
}

function copyFile(path: string, to: StoreFile): Salvage | undefined {
  let from: Database.Database | undefined;
  try {
    repairHeader(path);
    from = new Sqlite(path);
    from.pragma('locking_mode = EXCLUSIVE');
    return salvage(from, to.connection);
  } catch (error) {
    if (isDamageAtOpen(error)) return undefined;
    throw error;
  } finally {
    from?.close();
  }
}

function copyImage(image: Buffer, to: StoreFile): Salvage | undefined {
  try {
    const from = new Sqlite(image);
    try {
      return salvage(from, to.connection);
    } finally {
      from.close();
    }
  } catch (error) {
    if (isDamageAtOpen(error)) return undefined;
    throw error;
  }
}

/** What a look at the log finds. One that cannot be read is set aside: the database is opened without it. */
function inspectOrSetAside({ dir, now }: OpenSettings, readOnly: boolean): LogState {
  try {
    return inspectLog(dir.log);
  } catch (error) {
    if (!isDamageAtOpen(error)) throw error;
    if (!readOnly) dir.setLogAside(now());
    return 'cut';
  }
}

function logFindings({ dir }: OpenSettings, state: LogState): StoreFinding[] {
  const path = dir.log;
  switch (state) {
    case 'cut':
      return [
        { kind: 'log-cut', message: `${path} is damaged; the last writes before the restart are lost.` },
      ];
    case 'torn':
      return [
        { kind: 'log-torn', message: `The last transaction in ${path} is incomplete and was dropped.` },
      ];
    case 'absent':
      if (!existsSync(dir.unmerged)) return [];
      return [
        { kind: 'log-missing', message: `${path} is missing; the last writes before the restart are lost.` },
      ];
    case 'whole':
      return [];
  }
}

function fileMissing(dir: DataDir, finished: boolean): StoreFinding {
  const what = finished ? 'the one that was made from it is used' : 'everything in it is lost';
  return { kind: 'file-missing', message: `${dir.database} is missing; ${what}.` };
}

function secretFindings(dir: DataDir, { keyChanged, objects, state }: LostSecrets): StoreFinding[] {
  if (objects.length === 0 && state.length === 0) return [];
  const count = objects.length + state.length;
  const kind = keyChanged ? 'key-lost' : 'secret-lost';
  const message = keyChanged
    ? `The key of ${dir.database} is another one; ${count} secrets cannot be read any more.`
    : `${count} secrets in ${dir.database} were altered and cannot be read.`;
  const lost = { ...NOTHING, objects: objects.length, state: state.length };
  return [{ kind, message, lost, lostObjects: objects.slice(0, LIMIT_NAMED) }];
}

function damaged(
  dir: DataDir,
  reason: string,
  setAside: string | undefined,
  rows: Salvage | undefined,
): StoreFinding {
  const salvaged = rows?.salvaged ?? NOTHING;
  const lost = rows?.lost ?? NOTHING;
  const lostObjects: readonly LostObject[] = rows?.lostObjects ?? [];
  const where = setAside === undefined ? 'left as it is' : `set aside as ${setAside}`;
  const message =
    `${dir.database} is damaged (${reason}) and was ${where}. ` +
    `Taken over: ${describeCounts(salvaged)}. Known to be lost: ${describeCounts(lost)}.`;
  return {
    kind: 'damaged',
    message,
    ...(setAside === undefined ? {} : { setAside }),
    salvaged,
    lost,
    lostObjects,
  };
}

function describeCounts({ objects, scopes, outbox, state }: RowCounts): string {
  return `${objects} objects, ${scopes} records of scopes, ${outbox} messages for the hub, ${state} values of its own`;
}

/** What a failure at the start means to an operator. */
export function openError(dir: DataDir, error: unknown): EdgeCoreError {
  if (error instanceof EdgeCoreError) return error;
  const damage = isDamageAtOpen(error);
  return new EdgeCoreError(
    damage ? 'ERR_EDGE_STORE_DAMAGED' : 'ERR_EDGE_STORE_DATA_DIR',
    `cannot open the store in ${dir.path}: ${reasonOf(error)}`,
    { about: dir.path, cause: error },
  );
}
