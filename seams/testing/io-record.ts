import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomBelow, type Random } from '../src/random.ts';

/** One operation on a file, as recorded by io-recorder.c. */
export interface IoOperation {
  readonly type: 'write' | 'truncate' | 'sync' | 'failed-sync' | 'unlink' | 'rename';
  readonly path: string;
  /** Of a write: where; of a truncation: the new size. */
  readonly offset: number;
  /** Of a write: what; of a renaming: the new path. */
  readonly data: Buffer;
}

const TYPES: Readonly<Record<string, IoOperation['type']>> = {
  W: 'write',
  T: 'truncate',
  S: 'sync',
  F: 'failed-sync',
  U: 'unlink',
  R: 'rename',
};
const HEADER_BYTES = 17;
/** What a disk writes as a whole. */
const SECTOR_BYTES = 512;

/** Builds the recorder; undefined where there is no C compiler, or no LD_PRELOAD. */
export function buildRecorder(dir: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const source = fileURLToPath(new URL('../../testing/io-recorder.c', import.meta.url));
  const library = path.join(dir, 'io-recorder.so');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-lpthread'], {
      stdio: 'pipe',
    });
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
  return library;
}

/** Reads a record. */
export function readRecord(file: string): IoOperation[] {
  const bytes = readFileSync(file);
  const operations: IoOperation[] = [];
  for (let at = 0; at < bytes.length;) {
    const type = TYPES[String.fromCharCode(bytes.readUInt8(at))];
    if (type === undefined) throw new Error(`not a record at ${at}`);
    const pathEnd = at + HEADER_BYTES + bytes.readUInt32LE(at + 1);
    const end = pathEnd + bytes.readUInt32LE(at + 13);
    operations.push({
      type,
      path: bytes.toString('utf8', at + HEADER_BYTES, pathEnd),
      offset: Number(bytes.readBigUInt64LE(at + 5)),
      data: bytes.subarray(pathEnd, end),
    });
    at = end;
  }
  return operations;
}

/** A file's bytes, changed in place. */
class Content {
  #bytes: Buffer;
  #size: number;

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#bytes = bytes;
    this.#size = bytes.length;
  }

  apply({ type, offset, data }: IoOperation): void {
    if (type === 'truncate') this.#resize(offset);
    else this.write(offset, data);
  }

  write(offset: number, data: Buffer): void {
    this.#resize(Math.max(this.#size, offset + data.length));
    data.copy(this.#bytes, offset);
  }

  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#size));
  }

  #resize(size: number): void {
    if (size > this.#bytes.length) {
      const grown = Buffer.alloc(size * 2);
      this.#bytes.copy(grown, 0, 0, this.#size);
      this.#bytes = grown;
    }
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
  }
}

/** What a disk holds of one file: what was flushed, and what was only written. */
class DiskFile {
  readonly #flushed = new Content();
  readonly #written: IoOperation[] = [];

  apply(operation: IoOperation): void {
    if (operation.type === 'write' || operation.type === 'truncate') {
      this.#written.push(operation);
      return;
    }
    const written = this.#written.splice(0);
    // After a flush that failed the system takes the pages for clean, and no later flush writes them.
    if (operation.type === 'sync') for (const each of written) this.#flushed.apply(each);
  }

  /** What is found after a power cut now: of what was not flushed, any part in any sectors. */
  afterPowerCut(random: Random): Buffer {
    const content = new Content(this.#flushed.copy());
    for (const written of this.#written) {
      const luck = randomBelow(random, 3);
      if (luck === 0) content.apply(written);
      else if (luck === 1 && written.type === 'write') tear(content, written, random);
    }
    return content.copy();
  }
}

/** Lets only some sectors of a write reach the disk. */
function tear(content: Content, { offset, data }: IoOperation, random: Random): void {
  for (let at = 0; at < data.length; at += SECTOR_BYTES) {
    if (randomBelow(random, 2) === 0) content.write(offset + at, data.subarray(at, at + SECTOR_BYTES));
  }
}

/**
 * A disk on which recorded operations happen again, one by one. Creation, removal and renaming of files count as
 * durable.
 */
export class ReplayDisk {
  readonly #files = new Map<string, DiskFile>();

  apply(operation: IoOperation): void {
    if (operation.type === 'unlink') {
      this.#files.delete(operation.path);
      return;
    }
    let file = this.#files.get(operation.path);
    if (operation.type === 'rename') {
      this.#files.delete(operation.path);
      if (file !== undefined) this.#files.set(operation.data.toString(), file);
      return;
    }
    if (file === undefined) {
      file = new DiskFile();
      this.#files.set(operation.path, file);
    }
    file.apply(operation);
  }

  /** Path and content of each file as a power cut now may leave it. */
  afterPowerCut(random: Random): Map<string, Buffer> {
    return new Map([...this.#files].map(([name, file]) => [name, file.afterPowerCut(random)]));
  }
}
