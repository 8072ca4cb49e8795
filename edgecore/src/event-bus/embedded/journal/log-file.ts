import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

/** A file that grows at its end, and is replaced as a whole. One call at a time. */
export class LogFile {
  readonly #dir: string;
  readonly #path: string;
  #handle: FileHandle | undefined;
  #size = 0;

  constructor(dir: string) {
    this.#dir = dir;
    this.#path = path.join(dir, 'sessions.log');
  }

  /** Bytes; 0 where there is no file yet. */
  get size(): number {
    return this.#size;
  }

  get path(): string {
    return this.#path;
  }

  /** What is in it; empty where there is none. */
  async read(): Promise<Buffer> {
    await rm(this.#next, { force: true });
    try {
      const bytes = await readFile(this.#path);
      this.#size = bytes.length;
      return bytes;
    } catch (error) {
      if (isMissing(error)) return Buffer.alloc(0);
      throw error;
    }
  }

  /** Adds to its end: on the disk when it resolves. After an error only {@link replace} makes sense. */
  async append(bytes: Buffer): Promise<void> {
    if (this.#handle === undefined && this.#size === 0) {
      await this.replace(bytes);
      return;
    }
    this.#handle ??= await open(this.#path, 'a', 0o600);
    await this.#handle.appendFile(bytes);
    await this.#handle.datasync();
    this.#size += bytes.length;
  }

  /** Another content, all of it or the one before, over a power cut as well. */
  async replace(bytes: Buffer): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const next = await open(this.#next, 'w', 0o600);
    try {
      await next.writeFile(bytes);
      await next.datasync();
      await rename(this.#next, this.#path);
      await syncFolder(this.#dir);
    } catch (error) {
      await next.close();
      throw error;
    }
    const before = this.#handle;
    this.#handle = next;
    this.#size = bytes.length;
    await before?.close();
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  get #next(): string {
    return `${this.#path}.new`;
  }
}

async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
