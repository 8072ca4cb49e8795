import { delay, systemClock, type Clock } from '@hawser/seams';
import { CriLogFormat } from './cri-log-format.ts';
import { blocksOf } from './log-blocks.ts';
import { LogChanges } from './log-changes.ts';
import { logError, LogFolder, type FileFacts, type LogFile } from './log-folder.ts';
import type { LogQuery } from './log-query.ts';
import { findLogStart, type LogStart } from './log-start.ts';

/** A runtime that has begun a new file, or has said that a container ended, may still write a little to the old one. */
const SETTLE_MS = 100;

/** What times lose when they are set. */
const TIME_ERROR_MS = 0.01;

/** What {@link ContainerLog.open} needs. */
export interface ContainerLogOptions {
  /** Absolute path, as `RuntimeContainer.logPath`: `<folder of the pod>/<container>/<attempt>.log`. */
  readonly path: string;
  readonly query: LogQuery;
  /** Of `follow`: aborted once the container has ended (`ContainerEnd`). Absent: it goes on until `signal`. */
  readonly ended?: AbortSignal;
  /** Ends the reading; the iterator then rejects with its reason. */
  readonly signal: AbortSignal;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/**
 * The log of one container, as `kubectl logs` shows it: an async iterable of pieces, each up to about 64 KiB, read
 * when it is asked for, so that a slow reader holds up nothing but itself and memory is the same for any log. To be
 * iterated once; a loop that is left closes it, otherwise {@link close} does.
 *
 * Following ends when the container has ended and all was given out. It goes from a rotated file to the next one, and
 * loses nothing as long as files are not removed before they were read.
 * Source: kubelet, logs.go (ReadLogs).
 */
export class ContainerLog implements AsyncIterable<Uint8Array> {
  readonly #options: ContainerLogOptions;
  readonly #folder: LogFolder;
  readonly #start: LogStart;
  readonly #format: CriLogFormat;
  readonly #open: Set<LogFile>;
  #isClosed = false;

  private constructor(options: ContainerLogOptions, folder: LogFolder, start: LogStart) {
    this.#options = options;
    this.#folder = folder;
    this.#start = start;
    this.#format = new CriLogFormat(options.query, start.skipLines);
    this.#open = new Set(start.files);
  }

  /**
   * Opens what there is.
   * @throws EdgeCoreError `ERR_EDGECORE_CONTAINER_LOG`: there is none (with `follow` it may come), or it is no file
   */
  static async open(options: ContainerLogOptions): Promise<ContainerLog> {
    const { path, query, signal } = options;
    signal.throwIfAborted();
    const folder = await LogFolder.open(path);
    try {
      const start = await findLogStart(folder, query);
      if (start.files.length === 0 && query.follow !== true)
        throw logError(path, new Error('it is not there'));
      return new ContainerLog(options, folder, start);
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    const { query, signal } = this.#options;
    try {
      let { offset } = this.#start;
      for (const file of this.#start.files) {
        const isLast = file === this.#start.files.at(-1);
        if (isLast && query.follow === true) break;
        yield* this.#wanted(blocksOf(file, offset));
        await this.#done(file);
        offset = 0;
      }
      if (query.follow === true) yield* this.#wanted(this.#follow(this.#start.files.at(-1), offset));
      signal.throwIfAborted();
    } finally {
      await this.close();
    }
  }

  /** Lets go of the files. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { handle } of this.#open) await handle.close();
    await this.#folder.close();
  }

  /** Turns bytes of files into pieces of the output, until the limit is reached. */
  async *#wanted(blocks: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array, void, void> {
    if (this.#format.isDone()) return;
    for await (const block of blocks) {
      this.#options.signal.throwIfAborted();
      const piece = this.#format.push(block);
      if (piece.length > 0) yield piece;
      if (this.#format.isDone()) return;
    }
  }

  /** A file and those that come after it, until the container has ended. */
  async *#follow(first: LogFile | undefined, offset: number): AsyncGenerator<Buffer, void, void> {
    const { ended, signal, clock = systemClock } = this.#options;
    const { logName } = this.#folder;
    const changes = new LogChanges({ folder: this.#folder.pathOf('.'), name: logName, ended, signal, clock });
    changes.start();
    try {
      let file = first;
      let at = offset;
      for (let isSettled = false; ;) {
        const isOver = ended?.aborted === true;
        if (file !== undefined) at = yield* this.#readOn(file, at);
        const next = await this.#next(file);
        if (next === undefined && !isOver) {
          await changes.wait();
        } else if (!isSettled && file !== undefined) {
          await next?.handle.close();
          await this.#settle();
          isSettled = true;
          continue;
        } else if (next === undefined) {
          return;
        } else {
          await this.#done(file);
          [file, at] = [next, 0];
          this.#open.add(next);
        }
        isSettled = false;
      }
    } finally {
      changes.stop();
    }
  }

  /** What is there from `offset` on; answers where it ended: a packed file is read once. */
  async *#readOn(file: LogFile, offset: number): AsyncGenerator<Buffer, number, void> {
    if (file.isPacked) {
      if (offset === 0) yield* blocksOf(file, 0);
      return Infinity;
    }
    let at = offset;
    const { size } = await file.handle.stat();
    // Somebody has emptied it, to make room.
    if (size < at) {
      this.#format.breakLine();
      at = 0;
    }
    for await (const block of blocksOf(file, at)) {
      at += block.length;
      yield block;
    }
    return at;
  }

  /** The file after one that was moved away; undefined: there is none, or none yet. */
  async #next(file: LogFile | undefined): Promise<LogFile | undefined> {
    const { logName } = this.#folder;
    if (file === undefined) return this.#folder.openFile(logName);
    const present = await this.#folder.look(logName);
    if (present?.inode === file.inode) return undefined;
    return this.#folder.openFile((await this.#nextRotated(file)) ?? logName);
  }

  /** Name of the rotated file after this one; undefined: it is the present log. */
  async #nextRotated(file: LogFile): Promise<string | undefined> {
    const { mtimeMs } = await file.handle.stat();
    const rotated: { readonly name: string; readonly facts: FileFacts }[] = [];
    for (const { name } of await this.#folder.rotated()) {
      const facts = await this.#folder.look(name);
      if (facts !== undefined) rotated.push({ name, facts });
    }
    const at = rotated.findIndex(({ facts }) => facts.inode === file.inode);
    if (at >= 0) return rotated[at + 1]?.name;
    // Packed or removed meanwhile. Packing keeps the time.
    return rotated.find(({ facts }) => facts.modifiedMs > mtimeMs + TIME_ERROR_MS)?.name;
  }

  async #settle(): Promise<void> {
    const { clock = systemClock, signal } = this.#options;
    await delay(SETTLE_MS, { clock, signal });
  }

  async #done(file: LogFile | undefined): Promise<void> {
    this.#format.breakLine();
    if (file === undefined) return;
    this.#open.delete(file);
    await file.handle.close();
  }
}
