/** Pieces from here on may be kept as they are, if they are most of the memory that they keep alive. */
const KEEP_BYTES = 1024;
/** Smaller ones are gathered in blocks, which begin small and grow to this. */
const MAX_BLOCK_BYTES = 16 * 1024;
const FIRST_BLOCK_BYTES = 512;
const NO_BLOCK = Buffer.alloc(0);

/**
 * Bytes that wait for the reader of a stream. A piece is a view of the message that it came in, or of a chunk of the
 * socket: a peer that wraps single bytes in large messages would make a window of 128 KiB cost gigabytes. So a piece
 * is copied unless it is large and most of what it keeps alive; memory stays below about twice the window.
 */
export class ReceiveQueue {
  readonly #chunks: Uint8Array[] = [];
  #block = NO_BLOCK;
  /** Where the next byte goes. */
  #used = 0;
  /** Where the last chunk begins in the block, or -1 where the last chunk is not of the block. */
  #start = -1;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Chunks that wait. */
  get length(): number {
    return this.#chunks.length;
  }

  push(data: Uint8Array): void {
    if (data.length >= KEEP_BYTES && data.length * 2 >= data.buffer.byteLength) {
      this.#start = -1;
      this.#chunks.push(data);
      return;
    }
    for (let rest = data; rest.length > 0;) rest = this.#gather(rest);
  }

  /** The next chunk, if there is one. */
  shift(): Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    // The reader has the last chunk now: what comes next must not be written behind its back, nor keep the block.
    if (this.#chunks.length === 0) this.clear();
    return chunk;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#block = NO_BLOCK;
    this.#used = 0;
    this.#start = -1;
  }

  /** Copies what the block has room for; returns the rest. */
  #gather(data: Uint8Array): Uint8Array {
    if (this.#used === this.#block.length) {
      const bytes = Math.min(MAX_BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, this.#block.length * 2));
      this.#block = Buffer.allocUnsafeSlow(bytes);
      this.#used = 0;
      this.#start = -1;
    }
    const piece = data.subarray(0, this.#block.length - this.#used);
    this.#block.set(piece, this.#used);
    if (this.#start < 0) this.#start = this.#used;
    else this.#chunks.pop();
    this.#used += piece.length;
    this.#chunks.push(this.#block.subarray(this.#start, this.#used));
    return data.subarray(piece.length);
  }
}
