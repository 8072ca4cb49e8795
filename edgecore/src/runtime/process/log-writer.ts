import { mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

/** Source: containerd, internal/cri/io/logger.go: what is longer is written in pieces. */
const MAX_PIECE_BYTES = 16 * 1024;
const NEWLINE = 0x0a;
const FOLDER_MODE = 0o755;
const FILE_MODE = 0o640;

type StreamName = 'stdout' | 'stderr';

/**
 * The log of one container, as runtimes with CRI write it: `<time> <stdout|stderr> <F|P> <content>`. Who writes waits
 * until it is written, so that nothing is held in memory beyond one chunk a stream. A disk that takes nothing loses
 * the lines that came meanwhile, and not the container.
 */
export class LogWriter {
  readonly #path: string;
  readonly #onFailure: (error: unknown) => void;
  #handle: FileHandle | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** Beginning of a line, by stream. */
  readonly #open = new Map<StreamName, Buffer>();

  /** @param onFailure told of each write that failed */
  constructor(file: string, onFailure: (error: unknown) => void) {
    this.#path = file;
    this.#onFailure = onFailure;
  }

  /** Makes the file. @throws Error of the file system */
  async start(): Promise<void> {
    await mkdir(path.dirname(this.#path), { recursive: true, mode: FOLDER_MODE });
    this.#handle = await open(this.#path, 'a', FILE_MODE);
  }

  /** Goes on in a new file of the same name. @throws Error of the file system; the old one stays in use */
  async reopen(): Promise<void> {
    await this.#inTurn(async () => {
      const next = await open(this.#path, 'a', FILE_MODE);
      await this.#handle?.close();
      this.#handle = next;
    });
  }

  /** Never rejects. */
  write(stream: StreamName, chunk: Buffer): Promise<void> {
    const text = this.#lines(stream, chunk);
    return this.#inTurn(() => this.#append(text)).catch(this.#onFailure);
  }

  /** Writes what has no end of line, and closes the file. Never rejects. */
  async close(): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) {
      const rest = this.#open.get(stream);
      if (rest !== undefined && rest.length > 0)
        await this.#inTurn(() => this.#append([header(stream, 'F'), rest, LINE_END])).catch(this.#onFailure);
      this.#open.delete(stream);
    }
    await this.#inTurn(async () => this.#handle?.close()).catch(this.#onFailure);
    this.#handle = undefined;
  }

  #lines(stream: StreamName, chunk: Buffer): readonly Buffer[] {
    const before = this.#open.get(stream);
    const bytes = before === undefined ? chunk : Buffer.concat([before, chunk]);
    const pieces: Buffer[] = [];
    let from = 0;
    while (from < bytes.length) {
      const end = bytes.indexOf(NEWLINE, from);
      const isWhole = end >= 0 && end - from <= MAX_PIECE_BYTES;
      if (!isWhole && bytes.length - from < MAX_PIECE_BYTES) break;
      const to = isWhole ? end : from + MAX_PIECE_BYTES;
      pieces.push(header(stream, isWhole ? 'F' : 'P'), bytes.subarray(from, to), LINE_END);
      from = isWhole ? to + 1 : to;
    }
    this.#open.set(stream, Buffer.from(bytes.subarray(from)));
    return pieces;
  }

  async #append(pieces: readonly Buffer[]): Promise<void> {
    if (pieces.length > 0) await this.#handle?.writeFile(Buffer.concat(pieces));
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => {}); // told to who asked
    return done;
  }
}

const LINE_END = Buffer.from('\n');

function header(stream: StreamName, tag: 'F' | 'P'): Buffer {
  // Milliseconds are all that there is; nine digits as readers expect them.
  return Buffer.from(`${new Date().toISOString().slice(0, -1)}000000Z ${stream} ${tag} `);
}
