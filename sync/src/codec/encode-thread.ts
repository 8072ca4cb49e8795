import { Worker } from 'node:worker_threads';
import { deferred, type Clock, type Deferred, type Timer } from '@hawser/seams';
import { SyncError } from '../errors.ts';
import type { Encoding } from './encode-change.ts';
import type { EncodeRequest } from './encode-worker.ts';

/** Where encoding happens that takes too long for the event loop. */
export interface EncodeRunner {
  /**
   * Encodes; undefined where it cannot be done now, because the thread broke.
   * @throws SyncError `ERR_SYNC_BUSY` (as a rejection) when too many are waiting
   */
  run(request: EncodeRequest): Promise<Encoding | undefined>;
  /** Ends the thread. What waits gets undefined. Idempotent; `run` afterwards gives undefined. */
  stop(): Promise<void>;
}

/** Options of {@link EncodeThread}. */
export interface EncodeThreadOptions {
  readonly clock: Clock;
  /** Requests that may wait for the thread; more are refused. Default 1,024. */
  readonly maxQueued?: number;
  /** A request that takes longer has met a bug: the thread is ended, milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** A thread that had nothing to do for so long is ended: it costs some 10 MB. Milliseconds; default 60,000. */
  readonly idleMs?: number;
  /** How long a thread that broke three times in a row is left alone, milliseconds. Default 60,000. */
  readonly pauseMs?: number;
  /** Compiled worker; default: the real one. Tests give one that breaks. */
  readonly script?: URL;
  /** Called each time that the thread has ended unasked. */
  readonly onBroken?: (cause: unknown) => void;
}

interface Job {
  readonly request: EncodeRequest;
  readonly done: Deferred<Encoding | undefined>;
  attempts: number;
}

/** How often a request is tried: the second time in a new thread. */
const ATTEMPTS = 2;
/** Breaks in a row after which there is a pause. */
const BREAKS_TO_PAUSE = 3;
/** Heap of the thread. Contents are outside of it. */
const HEAP_MB = 64;

/**
 * One thread that encodes, one request after the other. It starts with the first request, does not keep the process
 * alive when idle, ends when idle for long, and is started again after it broke.
 */
export class EncodeThread implements EncodeRunner {
  readonly #options: EncodeThreadOptions;
  readonly #queue: Job[] = [];
  #worker: Worker | undefined;
  #current: Job | undefined;
  #watchdog: Timer | undefined;
  #idle: Timer | undefined;
  #breaksInARow = 0;
  #pausedUntilMs = 0;
  #stopped = false;

  constructor(options: EncodeThreadOptions) {
    this.#options = options;
  }

  /** Whether there is a thread now. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /** Requests that wait or are worked on. */
  get pending(): number {
    return this.#queue.length + (this.#current === undefined ? 0 : 1);
  }

  run(request: EncodeRequest): Promise<Encoding | undefined> {
    const { clock, maxQueued = 1024 } = this.#options;
    if (this.#stopped || clock.monotonicMs() < this.#pausedUntilMs) return Promise.resolve(undefined);
    if (this.#queue.length >= maxQueued)
      return Promise.reject(new SyncError('ERR_SYNC_BUSY', `${maxQueued} contents wait to be encoded`));
    const job: Job = { request, done: deferred(), attempts: 0 };
    this.#queue.push(job);
    this.#next();
    return job.done.promise;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const worker = this.#release();
    this.#giveUpAll();
    await worker?.terminate();
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const job = this.#queue.shift();
    if (job === undefined) {
      this.#rest();
      return;
    }
    this.#idle?.cancel();
    this.#current = job;
    job.attempts += 1;
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    const { clock, timeoutMs = 30_000 } = this.#options;
    this.#watchdog = clock.setTimer(timeoutMs, () =>
      this.#broke(worker, new Error(`no answer in ${timeoutMs} ms`)),
    );
    // Copies of their own: a view would take all the memory behind it along.
    const target = new Uint8Array(job.request.target);
    const base = job.request.base === undefined ? undefined : new Uint8Array(job.request.base);
    const moved = base === undefined ? [target.buffer] : [target.buffer, base.buffer];
    worker.postMessage({ target, base } satisfies EncodeRequest, moved);
  }

  /** Nothing to do: the process may end meanwhile, and the thread will before long. */
  #rest(): void {
    const { clock, idleMs = 60_000 } = this.#options;
    this.#worker?.unref();
    if (this.#worker === undefined) return;
    this.#idle = clock.setTimer(idleMs, () => void this.#release()?.terminate(), { background: true });
  }

  #start(): Worker {
    const { script = new URL('./encode-worker.js', import.meta.url) } = this.#options;
    const worker = new Worker(script, {
      name: 'hawser-encode',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
      // None of this process's preloads and inspectors.
      execArgv: [],
    });
    worker.on('message', (encoding: Encoding) => this.#answered(worker, encoding));
    worker.on('messageerror', (error) => this.#broke(worker, error));
    worker.on('error', (error) => this.#broke(worker, error));
    worker.on('exit', (code) => this.#broke(worker, new Error(`it ended with ${code}`)));
    return worker;
  }

  #answered(worker: Worker, encoding: Encoding): void {
    if (worker !== this.#worker) return; // one that was given up
    this.#breaksInARow = 0;
    this.#watchdog?.cancel();
    const job = this.#current;
    this.#current = undefined;
    job?.done.resolve(encoding);
    this.#next();
  }

  /** What it worked on is tried once more; what breaks two threads travels as it is. */
  #broke(worker: Worker, cause: unknown): void {
    if (worker !== this.#worker) return; // ended by us, or known already
    const { clock, pauseMs = 60_000, onBroken } = this.#options;
    const job = this.#current;
    void this.#release()?.terminate();
    this.#breaksInARow += 1;
    if (this.#breaksInARow >= BREAKS_TO_PAUSE) {
      this.#breaksInARow = 0;
      this.#pausedUntilMs = clock.monotonicMs() + pauseMs;
      job?.done.resolve(undefined);
      this.#giveUpAll();
    } else if (job !== undefined) {
      if (job.attempts < ATTEMPTS) this.#queue.unshift(job);
      else job.done.resolve(undefined);
    }
    onBroken?.(cause);
    this.#next();
  }

  /** Lets go of the worker and of what it works on. */
  #release(): Worker | undefined {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#watchdog?.cancel();
    this.#idle?.cancel();
    if (this.#stopped) this.#current?.done.resolve(undefined);
    this.#current = undefined;
    return worker;
  }

  #giveUpAll(): void {
    for (const job of this.#queue.splice(0)) job.done.resolve(undefined);
  }
}
