import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

// The file format is that of https://www.sqlite.org/fileformat2.html#the_write_ahead_log ("the WAL file format").
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

/**
 * State of a write-ahead log:
 * - `absent`: there is none, or an empty one.
 * - `whole`: every frame up to the end, or to what an earlier use of the file left, is as it was written.
 * - `torn`: behind the last whole transaction there is part of one.
 * - `cut`: whole transactions follow behind frames that are damaged, or the log's own header is.
 */
export type LogState = 'absent' | 'whole' | 'torn' | 'cut';

/** Pairs of 32-bit words, as the log sums them up. */
type Sums = readonly [number, number];

/** One frame: a page as a transaction left it. */
export interface Frame {
  readonly page: number;
  /** Pages of the database after the transaction that ends here; 0: it does not end here. */
  readonly commit: number;
  readonly content: Buffer;
}

/** Reads an SQLite write-ahead log frame by frame: SQLite itself drops what is behind a damaged frame silently. */
export class LogReader {
  readonly #file: number;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #littleEndian: boolean;
  readonly #frame: Buffer;
  /** Whether the header is one, and whole. */
  readonly usable: boolean;
  /** The header's: where the first frame's sums start from. */
  readonly sums: Sums;

  constructor(file: number) {
    this.#file = file;
    readSync(file, this.#header, 0, HEADER_BYTES, 0);
    const magic = this.#header.readUInt32BE(0);
    this.#littleEndian = magic === MAGIC;
    this.sums = this.#sum([0, 0], this.#header.subarray(0, 24));
    const pageBytes = this.#header.readUInt32BE(8);
    const isPageSize = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0;
    this.usable = (magic & ~1) === MAGIC && isPageSize && isEqual(this.sums, sumsAt(this.#header, 24));
    this.#frame = Buffer.alloc(FRAME_HEADER_BYTES + (isPageSize ? pageBytes : 512));
  }

  get isBlank(): boolean {
    return this.#header.every((byte) => byte === 0);
  }

  /** The frame of a number, from 0; undefined: the file ends before it does. */
  frameAt(index: number): Buffer | undefined {
    return this.#read(index) < this.#frame.length ? undefined : this.#frame;
  }

  /** Whether the file ends inside of the frame of a number. SQLite writes frames as a whole. */
  endsInside(index: number): boolean {
    return this.#read(index) > 0;
  }

  #read(index: number): number {
    const at = HEADER_BYTES + index * this.#frame.length;
    return readSync(this.#file, this.#frame, 0, this.#frame.length, at);
  }

  /** Each use of the file has two salts of its own. */
  isOfThisLog(frame: Buffer): boolean {
    return this.#header.compare(frame, 8, 16, 16, 24) === 0;
  }

  /** As {@link isOfThisLog}, where one of the salts may be damaged. */
  mayBeOfThisLog(frame: Buffer): boolean {
    return (
      this.#header.compare(frame, 8, 12, 16, 20) === 0 || this.#header.compare(frame, 12, 16, 20, 24) === 0
    );
  }

  /** The sums of a frame, from those of the frame before. */
  sumsOf(frame: Buffer, before: Sums): Sums {
    return this.#sum(this.#sum(before, frame.subarray(0, 8)), frame.subarray(FRAME_HEADER_BYTES));
  }

  #sum([first, second]: Sums, bytes: Buffer): Sums {
    let one = first;
    let two = second;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += 8) {
      one = (one + view.getUint32(at, this.#littleEndian) + two) >>> 0;
      two = (two + view.getUint32(at + 4, this.#littleEndian) + one) >>> 0;
    }
    return [one, two];
  }
}

function sumsAt(bytes: Buffer, at: number): Sums {
  return [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
}

function isEqual(one: Sums, other: Sums): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

/** Frames from the first, as far as they are whole, in order. */
export function* wholeFrames(reader: LogReader): Generator<Frame> {
  let sums = reader.sums;
  for (let index = 0; ; index += 1) {
    const frame = reader.frameAt(index);
    if (frame === undefined || !reader.isOfThisLog(frame)) return;
    sums = reader.sumsOf(frame, sums);
    if (!isEqual(sums, sumsAt(frame, 16))) return;
    yield {
      page: frame.readUInt32BE(0),
      commit: frame.readUInt32BE(4),
      content: frame.subarray(FRAME_HEADER_BYTES),
    };
  }
}

/** Transactions that end behind the first `from` frames: each frame is checked against the one right before it. */
function transactionsBehind(reader: LogReader, from: number): { ends: number; frames: number } {
  let ends = 0;
  let frames = 0;
  let before: Sums | undefined;
  for (let index = from; ; index += 1) {
    const frame = reader.frameAt(index);
    if (frame === undefined) return { ends, frames: frames + (reader.endsInside(index) ? 1 : 0) };
    const stored = sumsAt(frame, 16);
    if (reader.mayBeOfThisLog(frame)) {
      frames += 1;
      if (before !== undefined && isEqual(reader.sumsOf(frame, before), stored) && frame.readUInt32BE(4) > 0)
        ends += 1;
    }
    before = stored;
  }
}

/**
 * Looks at a log before SQLite does.
 *
 * What a power cut leaves of a transaction that was being written looks like damage in the last one: `torn`. There is
 * never more than one such transaction, so with two behind the whole ones something acknowledged is lost: `cut`.
 */
export function inspectLog(path: string): LogState {
  if (!existsSync(path) || statSync(path).size === 0) return 'absent';
  const file = openSync(path, 'r');
  try {
    const reader = new LogReader(file);
    if (!reader.usable) return reader.isBlank && statSync(path).size <= HEADER_BYTES ? 'absent' : 'cut';
    let whole = 0;
    let ended = 0;
    for (const { commit } of wholeFrames(reader)) {
      whole += 1;
      if (commit > 0) ended = whole;
    }
    const behind = transactionsBehind(reader, whole);
    if (behind.ends > 1) return 'cut';
    return behind.frames > 0 || ended < whole ? 'torn' : 'whole';
  } finally {
    closeSync(file);
  }
}
