import { BLOCK_BYTES, BlockIndex, blockHash, rollHash } from './block-index.ts';
import { pack } from './pack.ts';
import { ByteWriter } from './varint.ts';

/**
 * Instructions that make `target` from `base`, packed; `applyDelta` carries them out.
 *
 * Unpacked: the length of the target, then instructions until it is reached. An instruction begins with a number,
 * its length times two, plus one for an insertion. An insertion is followed by its bytes. A copy is followed by
 * where in the base it begins: the distance from where a copy without a gap would begin (the last copy's end, plus
 * what was inserted since), as 2n for n ≥ 0 and -2n - 1 for n < 0. Numbers are varints.
 *
 * The common beginning and end are found first, then what else the base has in blocks, wherever it is. Takes time in
 * proportion to both lengths, whatever they hold.
 */
export function encodeDelta(base: Uint8Array, target: Uint8Array): Uint8Array {
  return pack(new DeltaWriter(base, target).write());
}

/** A part of the base that the target has too. */
interface Match {
  from: number;
  length: number;
}

class DeltaWriter {
  readonly #base: Uint8Array;
  readonly #target: Uint8Array;
  readonly #out = new ByteWriter();
  /** Where in the target the instructions written so far end. */
  #done = 0;
  /** Where in the base the last copy ended. */
  #copied = 0;

  constructor(base: Uint8Array, target: Uint8Array) {
    this.#base = base;
    this.#target = target;
  }

  write(): Uint8Array {
    const base = this.#base;
    const target = this.#target;
    this.#out.varint(target.length);
    const begin = commonLength(base, 0, target, 0);
    const end = commonEnd(base, target, Math.min(base.length, target.length) - begin);
    if (begin > 0) this.#copy(0, begin);
    if (target.length - end - begin >= BLOCK_BYTES) this.#writeMiddle(begin, target.length - end);
    if (end > 0) {
      this.#insertUntil(target.length - end);
      this.#copy(base.length - end, end);
    }
    this.#insertUntil(target.length);
    return this.#out.written();
  }

  /** The target from `from` to `until`, of which nothing but blocks is known to be in the base. */
  #writeMiddle(from: number, until: number): void {
    const target = this.#target;
    const index = new BlockIndex(this.#base);
    let at = from;
    let hash = blockHash(target, at);
    while (true) {
      const match = this.#longestAt(at, until, hash, index);
      if (match !== undefined) {
        const back = this.#extendBack(match.from, at);
        this.#insertUntil(at - back);
        this.#copy(match.from - back, match.length + back);
        at = this.#done;
        if (at + BLOCK_BYTES > until) return;
        hash = blockHash(target, at);
      } else {
        if (at + BLOCK_BYTES >= until) return;
        // Within the target, by the line above.
        hash = rollHash(hash, target[at] ?? 0, target[at + BLOCK_BYTES] ?? 0);
        at += 1;
      }
    }
  }

  /** The longest of the base's parts that begin with the block at `at`; of equal ones the nearest to write down. */
  #longestAt(at: number, until: number, hash: number, index: BlockIndex): Match | undefined {
    const base = this.#base;
    const target = this.#target;
    const best: Match = { from: 0, length: BLOCK_BYTES - 1 };
    const consider = (position: number): void => {
      // What does not go beyond the best so far is known by one byte, mostly.
      if (at + best.length >= until || base[position + best.length] !== target[at + best.length]) return;
      const length = commonLength(base, position, target, at, until);
      if (length > best.length) {
        best.from = position;
        best.length = length;
      }
    };
    index.candidates(hash, (position) => {
      // Without a gap: as cheap as a copy can be, where the block is on another place too.
      if (best.length < BLOCK_BYTES) consider(this.#copied + (at - this.#done));
      consider(position);
    });
    return best.length >= BLOCK_BYTES ? best : undefined;
  }

  /** How many of the bytes before, which are not written yet, are the same in the base. */
  #extendBack(from: number, at: number): number {
    const most = Math.min(from, at - this.#done);
    let back = 0;
    while (back < most && this.#base[from - back - 1] === this.#target[at - back - 1]) back += 1;
    return back;
  }

  #insertUntil(until: number): void {
    if (until === this.#done) return;
    this.#out.varint((until - this.#done) * 2 + 1);
    this.#out.bytes(this.#target.subarray(this.#done, until));
    this.#copied += until - this.#done;
    this.#done = until;
  }

  #copy(from: number, length: number): void {
    this.#out.varint(length * 2);
    const distance = from - this.#copied;
    this.#out.varint(distance >= 0 ? distance * 2 : -distance * 2 - 1);
    this.#copied = from + length;
    this.#done += length;
  }
}

/** How many bytes are the same, from these positions on. */
function commonLength(a: Uint8Array, fromA: number, b: Uint8Array, fromB: number, untilB = b.length): number {
  const most = Math.min(a.length - fromA, untilB - fromB);
  let length = 0;
  while (length < most && a[fromA + length] === b[fromB + length]) length += 1;
  return Math.max(0, length);
}

function commonEnd(a: Uint8Array, b: Uint8Array, most: number): number {
  let length = 0;
  while (length < most && a[a.length - 1 - length] === b[b.length - 1 - length]) length += 1;
  return length;
}
