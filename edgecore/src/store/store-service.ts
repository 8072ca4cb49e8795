import { existsSync, rmSync } from 'node:fs';
import { EdgeCoreError, type EdgeCoreErrorCode } from '../errors.ts';
import { BodyCodec } from './body-codec.ts';
import { isDamage, isDamageAtOpen, isFull, reasonOf, sqliteCode } from './damage.ts';
import { DataDir, touch } from './data-dir.ts';
import { loadKey } from './key-file.ts';
import { openAndLoad, openError, openReadOnly, openStore, rebuild, type OpenSettings } from './open-store.ts';
import { ProcessLock } from './process-lock.ts';
import type { StoreFile } from './store-file.ts';
import type { Failure, FromWorker, InventoryItem, Job, ToWorker, WorkerSettings } from './store-protocol.ts';

/** Inventory items in one message. */
const CHUNK_ITEMS = 256;

/**
 * What the thread of a store does: opens the folder, carries out what it is told, and makes the database anew when it
 * finds it damaged. Synchronous.
 */
export class StoreService {
  readonly #dir: DataDir;
  readonly #settings: WorkerSettings;
  readonly #say: (message: FromWorker) => void;
  readonly #lock: ProcessLock;
  #open: OpenSettings | undefined;
  #file: StoreFile | undefined;
  #readOnly = false;
  /** Why nothing is written any more. */
  #broken: Failure | undefined;
  /** Whether the mark that the log has unmerged writes stands. */
  #marked = false;
  /** The log could not be merged, or marked, for lack of room: told once, and again when it is over. */
  #lacksRoom = false;

  constructor(settings: WorkerSettings, say: (message: FromWorker) => void) {
    this.#settings = settings;
    this.#say = say;
    this.#dir = new DataDir(settings.dir);
    this.#lock = new ProcessLock(this.#dir);
  }

  /** Says `inventory`… and `opened`, or `unusable`. @returns whether the store is open. */
  open(): boolean {
    try {
      this.#start();
      return true;
    } catch (error) {
      this.#lock.release();
      this.#say({ type: 'unusable', failure: failureOf(openError(this.#dir, error), this.#dir.path) });
      return false;
    }
  }

  handle(message: Exclude<ToWorker, { type: 'open' | 'close' }>): void {
    switch (message.type) {
      case 'write':
        this.#write(message.jobs);
        return;
      case 'read':
        this.#read(message.scope, message.key);
        return;
      case 'outbox':
        this.#outbox();
        return;
    }
  }

  /** Merges the log, lets go of the file and the folder. */
  close(): void {
    try {
      this.#file?.close(() => this.#unmark());
    } catch (error) {
      this.#fault(this.#classify(error));
    } finally {
      this.#lock.release();
    }
  }

  #start(): void {
    const dir = this.#dir;
    this.#readOnly = dir.prepare();
    const modes = this.#readOnly ? [] : (this.#lock.acquire(), dir.repairModes());
    const used = existsSync(dir.key);
    const codec = new BodyCodec(loadKey(dir, this.#settings.credentialsDir, this.#readOnly));
    this.#open = { dir, codec, limitBytes: this.#settings.limitBytes, now: Date.now, used };
    const opened = this.#readOnly ? openReadOnly(this.#open) : openStore(this.#open);
    this.#file = opened.file;
    if (opened.file.isMerged && !this.#readOnly) this.#unmark();
    this.#tell(opened.items);
    const findings = [...modes, ...opened.findings];
    this.#say({ type: 'opened', report: { created: opened.created, readOnly: this.#readOnly, findings } });
  }

  #tell(items: readonly InventoryItem[]): void {
    for (let at = 0; at < items.length; at += CHUNK_ITEMS) {
      this.#say({ type: 'inventory', items: items.slice(at, at + CHUNK_ITEMS) });
    }
  }

  #write(jobs: readonly Job[]): void {
    let failures: (Failure | undefined)[];
    const together = this.#commit(jobs);
    // One that does not fit, or is none, must not take others with it.
    const isOfOne = together?.code === 'ERR_EDGE_STORE_FULL' || together?.code === 'ERR_EDGE_STORE_VALUE';
    if (isOfOne && jobs.length > 1) failures = jobs.map((job) => this.#commit([job]));
    else failures = jobs.map(() => together);
    this.#say({ type: 'written', failures });
    this.#mergeIfDue();
  }

  #commit(jobs: readonly Job[]): Failure | undefined {
    if (this.#readOnly) return this.#failure('ERR_EDGE_STORE_READ_ONLY', 'is on a read-only file system');
    const failure = this.#tryCommit(jobs);
    // The database was made anew; what was to be written goes into that.
    return failure?.code === 'ERR_EDGE_STORE_DAMAGED' ? this.#tryCommit(jobs) : failure;
  }

  #tryCommit(jobs: readonly Job[]): Failure | undefined {
    if (this.#broken !== undefined) return this.#broken;
    try {
      this.#opened().commit(jobs);
      this.#mark();
      return undefined;
    } catch (error) {
      return this.#handleError(error);
    }
  }

  #read(scope: string, key: string): void {
    try {
      this.#say({ type: 'content', content: this.#opened().read(scope, key) });
    } catch (error) {
      this.#say({ type: 'failed', failure: this.#readFailure(error) });
    }
  }

  #outbox(): void {
    try {
      this.#say({ type: 'entries', entries: this.#opened().outbox() });
    } catch (error) {
      const failure = this.#readFailure(error, true);
      if (failure.code !== 'ERR_EDGE_STORE_DAMAGED' || this.#readOnly || this.#broken !== undefined) {
        this.#say({ type: 'failed', failure });
        return;
      }
      // Made anew from what is whole.
      this.#say({ type: 'entries', entries: this.#opened().outbox() });
    }
  }

  /** A row that is damaged is only missed; where SQLite finds its file damaged, or `always`, all is made anew. */
  #readFailure(error: unknown, always = false): Failure {
    const isRowOnly = isDamage(error) && sqliteCode(error) === '';
    if (isRowOnly && !always) return this.#failure('ERR_EDGE_STORE_DAMAGED', reasonOf(error));
    if (isDamage(error)) return this.#handleError(error);
    return this.#failure('ERR_EDGE_STORE_FAILED', `cannot be read: ${reasonOf(error)}`);
  }

  /** What an error means, and what follows from it. */
  #handleError(error: unknown): Failure {
    const failure = this.#classify(error);
    if (failure.code === 'ERR_EDGE_STORE_DAMAGED' && !this.#readOnly) this.#rebuild(failure.message);
    if (failure.code === 'ERR_EDGE_STORE_FAILED') this.#break(failure);
    return failure;
  }

  #classify(error: unknown): Failure {
    if (error instanceof EdgeCoreError) return failureOf(error, this.#dir.path);
    const code = sqliteCode(error);
    const reason = reasonOf(error);
    if (isDamage(error)) return this.#failure('ERR_EDGE_STORE_DAMAGED', `is damaged: ${reason}`);
    if (isFull(error)) return this.#failure('ERR_EDGE_STORE_FULL', `cannot grow: ${reason}`);
    // A write that was refused has done nothing; a flush that failed is another matter.
    const refused = code.startsWith('SQLITE_READONLY') || code === 'SQLITE_IOERR_WRITE' || code === 'EROFS';
    if (refused && (this.#dir.isReadOnly() || !code.startsWith('SQLITE_IOERR'))) {
      return this.#failure('ERR_EDGE_STORE_READ_ONLY', `cannot be written: ${reason}`);
    }
    return this.#failure('ERR_EDGE_STORE_FAILED', `failed (${code}: ${reason}); no more is written to it`);
  }

  #rebuild(reason: string): void {
    const settings = this.#open;
    if (settings === undefined) throw new TypeError('rebuild before open');
    try {
      this.#letGo();
      const finding = rebuild(settings, reason);
      const opened = openAndLoad(settings, []);
      this.#file = opened.file;
      this.#marked = false;
      this.#tell(opened.items);
      this.#say({ type: 'rebuilt', finding });
    } catch (error) {
      this.#break(
        this.#failure('ERR_EDGE_STORE_FAILED', `is damaged and cannot be made anew: ${reasonOf(error)}`),
      );
    }
  }

  /** Closing a damaged file may fail as well; the handle is gone all the same. */
  #letGo(): void {
    try {
      this.#file?.close();
    } catch (error) {
      if (!isDamageAtOpen(error)) throw error;
    }
    this.#file = undefined;
  }

  #break(failure: Failure): void {
    if (this.#broken !== undefined) return;
    this.#broken = failure;
    this.#fault(failure);
  }

  #mergeIfDue(): void {
    if (this.#broken !== undefined || this.#file?.wantsMerge !== true) return;
    try {
      this.#file.merge();
      this.#hasRoom();
      this.#unmark();
    } catch (error) {
      const failure = this.#handleError(error);
      const isRoom = failure.code === 'ERR_EDGE_STORE_FULL' || failure.code === 'ERR_EDGE_STORE_READ_ONLY';
      if (isRoom) this.#isShort(failure);
    }
  }

  #isShort(failure: Failure): void {
    if (!this.#lacksRoom) this.#fault(failure);
    this.#lacksRoom = true;
  }

  #hasRoom(): void {
    if (this.#lacksRoom) this.#say({ type: 'hasRoom' });
    this.#lacksRoom = false;
  }

  /** Marks that the log has what the database has not; not flushed, since it only serves to notice a loss. */
  #mark(): void {
    if (this.#marked) return;
    try {
      touch(this.#dir.unmerged);
      this.#marked = true;
      this.#hasRoom();
    } catch (error) {
      // What was to be written is durable; only the loss of the log would go unnoticed.
      this.#isShort(this.#failure('ERR_EDGE_STORE_FULL', `cannot be marked: ${reasonOf(error)}`));
    }
  }

  #unmark(): void {
    this.#marked = false;
    rmSync(this.#dir.unmerged, { force: true });
  }

  #opened(): StoreFile {
    if (this.#file === undefined) throw new TypeError('the file is not open');
    return this.#file;
  }

  #failure(code: EdgeCoreErrorCode, message: string): Failure {
    return { code, message: `${this.#dir.database} ${message}`, about: this.#dir.database };
  }

  #fault({ code, message }: Failure): void {
    this.#say({ type: 'fault', fault: { code, message, lostObjects: [] } });
  }
}

function failureOf(error: EdgeCoreError, path: string): Failure {
  return { code: error.code, message: error.message, about: error.about ?? path };
}
