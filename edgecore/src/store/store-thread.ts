import type { Worker } from 'node:worker_threads';
import { deferred, type Deferred } from '@hawser/seams';
import type { ContentKey, OutboxEntry } from '@hawser/sync';
import { EdgeCoreError } from '../errors.ts';
import { transferable } from './job-transfer.ts';
import type {
  Failure,
  FromWorker,
  InventoryItem,
  Job,
  ReadContent,
  ToWorker,
  WorkerSettings,
} from './store-protocol.ts';
import type { OpenReport, StoreFault, StoreFinding } from './store-report.ts';
import { startStoreWorker } from './store-worker-thread.ts';

/** Bounds of a {@link StoreThread}. */
export interface ThreadLimits {
  /** Writes that may wait for the disk. */
  readonly pendingWrites: number;
  /** Bytes that waiting writes may take. One write always may wait. */
  readonly pendingBytes: number;
}

/** Who is told what the thread finds. */
export interface ThreadListener {
  /** The database was made anew: this is what it holds. */
  rebuilt(items: readonly InventoryItem[], finding: StoreFinding): void;
  fault(fault: StoreFault): void;
  /** There is room again: see `FromWorker`. */
  hasRoom(): void;
}

interface PendingWrite {
  readonly job: Job;
  readonly sizeBytes: number;
  /** Makes what was written visible. */
  readonly show: () => void;
  readonly done: Deferred<undefined>;
}

/** Who waits for an answer. */
interface Waiting {
  answer(message: Answer): void;
  fail(error: EdgeCoreError): void;
}

type Answer = Extract<FromWorker, { type: 'written' | 'content' | 'entries' | 'failed' }>;

/** Jobs in one transaction: bounds how long applying one answer holds the event loop. */
const GROUP_JOBS = 256;
/** Groups at the worker: one being flushed, and the next one ready behind it. */
const GROUPS_UNDER_WAY = 2;

/** The main thread's side of the thread that owns the database. */
export class StoreThread {
  readonly #settings: WorkerSettings;
  readonly #limits: ThreadLimits;
  readonly #listener: ThreadListener;
  readonly #opened: Deferred<OpenReport> = deferred();
  readonly #exited: Deferred<undefined> = deferred();
  /** One for each message sent, in order; the worker answers in the same order. */
  readonly #waiting: Waiting[] = [];
  readonly #queue: PendingWrite[] = [];
  #items: InventoryItem[] = [];
  #groupsUnderWay = 0;
  #pendingWrites = 0;
  #pendingBytes = 0;
  #transactions = 0;
  #pumping = false;
  /** Settled when the newest write is. */
  #last: Promise<void> = Promise.resolve();
  #worker: Worker | undefined;
  #failure: EdgeCoreError | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: WorkerSettings, limits: ThreadLimits, listener: ThreadListener) {
    this.#settings = settings;
    this.#limits = limits;
    this.#listener = listener;
  }

  /** Writes that wait, their bytes, and transactions done. */
  get counters(): { pendingWrites: number; pendingBytes: number; transactions: number } {
    return {
      pendingWrites: this.#pendingWrites,
      pendingBytes: this.#pendingBytes,
      transactions: this.#transactions,
    };
  }

  /**
   * Opens the folder.
   * @param worker one that was started before; it is this store's from here on
   * @throws EdgeCoreError as `EdgeStore.open`
   */
  async open(worker = startStoreWorker()): Promise<{ report: OpenReport; items: readonly InventoryItem[] }> {
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#hear(message));
    worker.on('error', (error) => this.#fail('its thread died', error));
    worker.on('exit', () => {
      this.#fail('its thread ended');
      this.#exited.resolve(undefined);
    });
    const first: ToWorker = { type: 'open', settings: this.#settings };
    worker.postMessage(first);
    try {
      const report = await this.#opened.promise;
      return { report, items: this.#takeItems() };
    } catch (error) {
      await this.#exited.promise;
      throw error;
    }
  }

  /**
   * Does a job; resolves when it is on disk. Jobs are done in their order; `show` is called before anything that was
   * asked for later is answered.
   * @param sizeBytes What it takes in memory.
   * @throws EdgeCoreError `ERR_EDGE_STORE_BUSY`, `_CLOSED`, `_FULL`, `_READ_ONLY`, `_DAMAGED`: nothing of it was
   * done, and it may be tried again; `ERR_EDGE_STORE_FAILED`: nothing is written any more.
   */
  async write(job: Job, sizeBytes: number, show: () => void): Promise<void> {
    this.#assertOpen();
    const { pendingWrites, pendingBytes } = this.#limits;
    const isOver =
      this.#pendingWrites >= pendingWrites ||
      (this.#pendingWrites > 0 && this.#pendingBytes + sizeBytes > pendingBytes);
    if (isOver) {
      throw new EdgeCoreError(
        'ERR_EDGE_STORE_BUSY',
        `${this.#pendingWrites} writes of ${this.#pendingBytes} bytes wait for the disk; try again later`,
        { about: this.#settings.dir },
      );
    }
    const done = deferred<undefined>();
    this.#queue.push({ job, sizeBytes, show, done });
    this.#pendingWrites += 1;
    this.#pendingBytes += sizeBytes;
    this.#schedulePump();
    this.#last = done.promise.then(
      () => {},
      () => {}, // whoever wrote it hears of it
    );
    await done.promise;
  }

  /**
   * A content as the disk has it, and what is visible then.
   * @throws EdgeCoreError `ERR_EDGE_STORE_DAMAGED`, `ERR_EDGE_STORE_FAILED`, `ERR_EDGE_STORE_CLOSED`
   */
  async read(scope: string, key: ContentKey): Promise<ReadContent | undefined> {
    const answer = await this.#ask({ type: 'read', scope, key });
    return answer.type === 'content' ? answer.content : undefined;
  }

  /** The outbox as the disk has it, after every write before. @throws EdgeCoreError as {@link read} */
  async outbox(): Promise<readonly OutboxEntry[]> {
    this.#assertOpen();
    await this.#written();
    const answer = await this.#ask({ type: 'outbox' });
    return answer.type === 'entries' ? answer.entries : [];
  }

  /** Ends the thread once everything asked for is done. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    await this.#written();
    this.#post({ type: 'close' });
    if (this.#worker !== undefined) await this.#exited.promise;
  }

  /** Until everything that waits now is written, or was refused. */
  async #written(): Promise<void> {
    await this.#last;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new EdgeCoreError('ERR_EDGE_STORE_CLOSED', 'the edge store is closed');
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** After the present turn, so that what is written together is flushed together. */
  #schedulePump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#groupsUnderWay < GROUPS_UNDER_WAY) {
      this.#send(this.#queue.splice(0, GROUP_JOBS));
    }
  }

  #send(group: readonly PendingWrite[]): void {
    const { jobs, transfer } = transferable(group.map(({ job }) => job));
    this.#groupsUnderWay += 1;
    this.#post({ type: 'write', jobs }, transfer);
    this.#waiting.push({
      answer: (message) => this.#settle(group, message),
      fail: (error) => {
        for (const write of group) this.#end(write, error);
      },
    });
  }

  #settle(group: readonly PendingWrite[], answer: Answer): void {
    this.#groupsUnderWay -= 1;
    this.#transactions += 1;
    const failures = answer.type === 'written' ? answer.failures : [];
    for (const [index, write] of group.entries()) {
      const failure = failures[index];
      this.#end(write, failure === undefined ? undefined : errorOf(failure));
    }
    this.#schedulePump();
  }

  #end({ sizeBytes, show, done }: PendingWrite, error: unknown): void {
    this.#pendingWrites -= 1;
    this.#pendingBytes -= sizeBytes;
    if (error !== undefined) {
      done.reject(error);
      return;
    }
    show();
    done.resolve(undefined);
  }

  async #ask(message: ToWorker): Promise<Answer> {
    this.#assertOpen();
    const result = deferred<Answer>();
    this.#post(message);
    this.#waiting.push({ answer: result.resolve, fail: result.reject });
    const answer = await result.promise;
    if (answer.type === 'failed') throw errorOf(answer.failure);
    return answer;
  }

  #post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'inventory':
        this.#items.push(...message.items);
        return;
      case 'opened':
        this.#opened.resolve(message.report);
        return;
      case 'unusable':
        this.#opened.reject(errorOf(message.failure));
        return;
      case 'rebuilt':
        this.#listener.rebuilt(this.#takeItems(), message.finding);
        return;
      case 'fault':
        this.#listener.fault(message.fault);
        return;
      case 'hasRoom':
        this.#listener.hasRoom();
        return;
      default:
        this.#waiting.shift()?.answer(message);
    }
  }

  #takeItems(): readonly InventoryItem[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #fail(message: string, cause?: unknown): void {
    const { dir } = this.#settings;
    this.#failure ??= new EdgeCoreError('ERR_EDGE_STORE_FAILED', `the store in ${dir} ended: ${message}`, {
      about: dir,
      cause,
    });
    this.#opened.reject(this.#failure);
    for (const waiting of this.#waiting.splice(0)) waiting.fail(this.#failure);
    for (const write of this.#queue.splice(0)) this.#end(write, this.#failure);
  }
}

function errorOf({ code, message, about }: Failure): EdgeCoreError {
  return new EdgeCoreError(code, message, { about });
}
