/** Bytes of a block. What two versions have in common is found for sure from twice this length on. */
export const BLOCK_BYTES = 16;

/** How many blocks of one hash are looked at: bounds the work on data that repeats itself. */
const MAX_CANDIDATES = 8;

/** Odd, so that every byte of a block counts in all bits above it. */
const FACTOR = 0x01000193;
const FACTOR_TO_BLOCK = powerOf(FACTOR, BLOCK_BYTES);
/** Spreads hashes over the slots. Source: Knuth, The Art of Computer Programming, vol. 3, section 6.4. */
const SPREAD = 0x9e3779b1;

/** Hash of the block that begins at `at`. */
export function blockHash(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let index = at; index < at + BLOCK_BYTES; index++) {
    hash = (Math.imul(hash, FACTOR) + (bytes[index] ?? 0)) | 0;
  }
  return hash;
}

/** Hash of the block one byte further, given the byte that leaves and the byte that comes. */
export function rollHash(hash: number, leaves: number, comes: number): number {
  return (Math.imul(hash, FACTOR) + comes - Math.imul(leaves, FACTOR_TO_BLOCK)) | 0;
}

/**
 * Where the blocks of some bytes are, by hash: those at multiples of the block's length, as rsync has them.
 * Source of the idea: A. Tridgell and P. Mackerras, The rsync algorithm, 1996.
 */
export class BlockIndex {
  /** By slot: the last block of a hash, plus one; 0: none. */
  readonly #last: Int32Array;
  /** By block: the one before in the same slot, plus one. */
  readonly #before: Int32Array;
  readonly #shift: number;

  constructor(bytes: Uint8Array) {
    const blocks = Math.floor(bytes.length / BLOCK_BYTES);
    const bits = Math.max(4, Math.ceil(Math.log2(blocks * 2 + 1)));
    this.#shift = 32 - bits;
    this.#last = new Int32Array(2 ** bits);
    this.#before = new Int32Array(blocks);
    for (let block = 0; block < blocks; block++) {
      const slot = this.#slotOf(blockHash(bytes, block * BLOCK_BYTES));
      this.#before[block] = this.#last[slot] ?? 0;
      this.#last[slot] = block + 1;
    }
  }

  /** Calls with the positions of blocks that may be of this hash, at most 8, the last ones first. */
  candidates(hash: number, visit: (position: number) => void): void {
    let block = this.#last[this.#slotOf(hash)] ?? 0;
    for (let count = 0; block !== 0 && count < MAX_CANDIDATES; count++) {
      visit((block - 1) * BLOCK_BYTES);
      block = this.#before[block - 1] ?? 0;
    }
  }

  #slotOf(hash: number): number {
    return Math.imul(hash, SPREAD) >>> this.#shift;
  }
}

function powerOf(factor: number, exponent: number): number {
  let power = 1;
  for (let count = 0; count < exponent; count++) power = Math.imul(power, factor);
  return power;
}
