import type { FileHandle } from 'node:fs/promises';
import { isOfStream, MAX_HEADER_BYTES, readHeader } from './cri-log-format.ts';
import type { LogStream } from './log-query.ts';

const NEWLINE = 0x0a;
const BLOCK_BYTES = 64 * 1024;

/** Where the last lines of a log begin. */
export interface TailStart {
  /** Offset in the file, at the beginning of a line. */
  readonly offset: number;
  /** Lines of the output that begin or end from there on, at most as many as were asked for. */
  readonly lines: number;
}

/**
 * Finds where the last `wanted` lines of the output begin, reading backwards in blocks. What counts is the output's
 * lines: one that the log has in pieces is one. (A kubelet counts the pieces.) Pieces without an end, at the end of the
 * file, are a line too; what is no line of a log is none.
 */
export async function findTailStart(
  handle: FileHandle,
  size: number,
  wanted: number,
  stream: LogStream,
): Promise<TailStart> {
  const buffer = Buffer.allocUnsafe(Math.min(size, BLOCK_BYTES) + MAX_HEADER_BYTES);
  const count = new TailCount(wanted, stream, size);
  for (let end = size; end > 0; end = Math.max(0, end - BLOCK_BYTES)) {
    const start = Math.max(0, end - BLOCK_BYTES);
    // The header of a line that begins with the last byte is behind the block.
    const length = Math.min(size, end + MAX_HEADER_BYTES) - start;
    const { bytesRead } = await handle.read(buffer, 0, length, start);
    const offset = count.block(buffer.subarray(0, bytesRead), start, end - start);
    if (offset !== undefined) return { offset, lines: wanted };
  }
  return { offset: 0, lines: count.lines };
}

/** Counts lines, the last one first. */
class TailCount {
  lines = 0;
  readonly #wanted: number;
  readonly #stream: LogStream;
  /** Where the line begins, in the file, that was looked at before; at first: where the file ends. */
  #after: number;
  /** Pieces at the end of the file whose line has not ended are a line. */
  #isFirst = true;

  constructor(wanted: number, stream: LogStream, size: number) {
    this.#wanted = wanted;
    this.#stream = stream;
    this.#after = size;
  }

  /**
   * Takes the block before those that it had.
   * @param bytes the block, and what it takes to read the header of a line that begins after its last byte
   * @param start where it is in the file
   * @param length of the block
   * @returns where the output is to begin; undefined: further in front
   */
  block(bytes: Buffer, start: number, length: number): number | undefined {
    for (let before = length - 1; before >= 0; before--) {
      before = bytes.lastIndexOf(NEWLINE, before);
      if (before < 0) break;
      const at = before + 1;
      if (this.#wanted === 0) return start + at;
      if (this.#isTooMany(bytes, at)) return this.#after;
      this.#after = start + at;
    }
    return start === 0 && this.#isTooMany(bytes, 0) ? this.#after : undefined;
  }

  #isTooMany(bytes: Buffer, at: number): boolean {
    const header = readHeader(bytes, at);
    if (header === undefined || !isOfStream(header, this.#stream)) return false;
    const isEnd = !header.isPartial || this.#isFirst;
    this.#isFirst = false;
    if (!isEnd) return false;
    if (this.lines === this.#wanted) return true;
    this.lines += 1;
    return false;
  }
}
