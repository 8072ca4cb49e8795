import { Worker } from 'node:worker_threads';
import { deferred, type Deferred } from '@hawser/seams';
import { KubeError } from '../errors.ts';
import type {
  FromWorker,
  LogRow,
  StoredState,
  ToWorker,
  WorkerFailure,
  WorkerSettings,
  WriteBatch,
} from './sqlite-protocol.ts';

/** Who takes what the file holds, in order. */
export interface LoadReceiver {
  opened(state: StoredState): void;
  /** @throws KubeError if the rows cannot be; loading then ends with it. */
  row(row: LogRow): void;
}

/** An error of the worker thread, before it is known what it means here. */
class WorkerError extends Error {
  readonly code: string;

  constructor({ code, message }: WorkerFailure) {
    super(message);
    this.code = code;
  }
}

/** The main thread's side of the worker that writes the file. */
export class DiskWriter {
  readonly #settings: WorkerSettings;
  readonly #loaded: Deferred<undefined> = deferred();
  readonly #exited: Deferred<undefined> = deferred();
  /** One for each batch or backup sent, in order; the worker answers in the same order. */
  readonly #answers: Deferred<undefined>[] = [];
  #worker: Worker | undefined;
  #failure: KubeError | undefined;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
  }

  /** Batches and backups sent and not answered. */
  get underWay(): number {
    return this.#answers.length;
  }

  /** Opens the file and reads it. @throws KubeError as {@link SqliteFile.open}. */
  async load(receiver: LoadReceiver): Promise<void> {
    const worker = new Worker(new URL('./sqlite-worker.js', import.meta.url), { workerData: this.#settings });
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#hear(message, receiver));
    worker.on('error', (error) => this.#fail('the writing thread died', error));
    worker.on('exit', () => {
      this.#fail('the writing thread ended');
      this.#exited.resolve(undefined);
    });
    try {
      await this.#loaded.promise;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Writes a batch; resolves when it is on disk.
   * @throws KubeError `ERR_KUBE_STORE_WRITE_FAILED` (nothing of it was written; the next may succeed), or
   * `ERR_KUBE_STORE_FAILED` (what is on disk is uncertain, and nothing can be written any more).
   */
  async write(batch: WriteBatch): Promise<void> {
    try {
      await this.#ask({ type: 'write', batch });
    } catch (error) {
      throw error instanceof WorkerError ? this.#writeError(error) : error;
    }
  }

  /** Writes a copy of the file, the batches sent before included. @throws KubeError `ERR_KUBE_STORE_BACKUP_FAILED`. */
  async backup(path: string): Promise<void> {
    try {
      await this.#ask({ type: 'backup', path });
    } catch (error) {
      if (!(error instanceof WorkerError)) throw error;
      const message = `cannot write the backup ${path}: ${error.message}`;
      throw new KubeError('ERR_KUBE_STORE_BACKUP_FAILED', message, { about: path, cause: error });
    }
  }

  #ask(message: ToWorker): Promise<undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const answer = deferred<undefined>();
    this.#answers.push(answer);
    this.#send(message);
    return answer.promise;
  }

  /** Closes the file after all batches sent, and ends the thread. Idempotent. */
  async close(): Promise<void> {
    if (this.#worker === undefined) return;
    this.#send({ type: 'close' });
    await this.#exited.promise;
  }

  #send(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #hear(message: FromWorker, receiver: LoadReceiver): void {
    switch (message.type) {
      case 'opened':
        receiver.opened(message.state);
        return;
      case 'rows':
        try {
          for (const row of message.rows) receiver.row(row);
        } catch (error) {
          this.#loaded.reject(error);
        }
        return;
      case 'ready':
        this.#loaded.resolve(undefined);
        return;
      case 'unusable':
        this.#loaded.reject(
          new KubeError(message.failure.code, message.failure.message, { about: this.#settings.path }),
        );
        return;
      case 'done':
        this.#answers.shift()?.resolve(undefined);
        return;
      case 'rejected':
        this.#answers.shift()?.reject(new WorkerError(message.failure));
        return;
    }
  }

  /** A full disk heals. After any other I/O error nobody knows what the disk holds, so no more is promised. */
  #writeError({ code, message }: WorkerError): KubeError {
    const { path } = this.#settings;
    if (code === 'SQLITE_FULL') {
      return new KubeError(
        'ERR_KUBE_STORE_WRITE_FAILED',
        `${path} cannot grow: ${message}. Free disk space, or raise the store's size limit.`,
        { about: path },
      );
    }
    this.#failure ??= new KubeError(
      'ERR_KUBE_STORE_FAILED',
      `writing ${path} failed (${code}: ${message}); the store takes no more writes. Check the disk, then restart.`,
      { about: path },
    );
    return this.#failure;
  }

  #fail(message: string, cause?: unknown): void {
    const { path } = this.#settings;
    this.#failure ??= new KubeError('ERR_KUBE_STORE_FAILED', `${message} (${path})`, { about: path, cause });
    this.#loaded.reject(this.#failure);
    for (const answer of this.#answers.splice(0)) answer.reject(this.#failure);
  }
}
