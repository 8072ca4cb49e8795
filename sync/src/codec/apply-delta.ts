import { SyncError } from '../errors.ts';
import { MAX_CONTENT_BYTES, unpack } from './pack.ts';
import { ByteReader } from './varint.ts';

/** Where the bytes of one instruction go, and where they come from: a position in the base, or the bytes. */
type Visit = (at: number, from: number | Uint8Array, length: number) => void;

/**
 * Carries out what `encodeDelta` made. The caller compares the hash of the outcome: instructions for another base
 * may well make something.
 * @param base the content that the instructions were made for
 * @param maxBytes longest outcome; default {@link MAX_CONTENT_BYTES}
 * @returns the target, in memory of its own
 * @throws SyncError `ERR_SYNC_BAD_DELTA`, `ERR_SYNC_BAD_PACK`, `ERR_SYNC_TOO_LARGE`; nothing large is allocated
 *   before the instructions were checked to the end
 */
export function applyDelta(
  base: Uint8Array,
  packedDelta: Uint8Array,
  maxBytes = MAX_CONTENT_BYTES,
): Uint8Array {
  const delta = unpack(packedDelta, maxBytes);
  const length = walk(delta, base.length, maxBytes, () => {});
  const target = new Uint8Array(length);
  walk(delta, base.length, maxBytes, (at, from, count) => {
    target.set(typeof from === 'number' ? base.subarray(from, from + count) : from, at);
  });
  return target;
}

/** Reads all instructions, and answers how long what they make is. */
function walk(delta: Uint8Array, baseLength: number, maxBytes: number, visit: Visit): number {
  const reader = new ByteReader(delta, bad);
  const targetLength = reader.varint();
  if (targetLength > maxBytes)
    throw new SyncError('ERR_SYNC_TOO_LARGE', `a delta that makes more than ${maxBytes} bytes`);
  let at = 0;
  let copied = 0;
  while (!reader.atEnd) {
    const head = reader.varint();
    const length = Math.floor(head / 2);
    if (length === 0 || length > targetLength - at) throw bad('an instruction of a wrong length');
    if (head % 2 === 1) {
      visit(at, reader.bytes(length), length);
      copied += length;
    } else {
      const distance = reader.varint();
      const from = copied + (distance % 2 === 0 ? distance / 2 : -(distance + 1) / 2);
      if (from < 0 || length > baseLength - from) throw bad('a copy from outside of the base');
      visit(at, from, length);
      copied = from + length;
    }
    at += length;
  }
  if (at !== targetLength) throw bad(`${at} of ${targetLength} bytes`);
  return targetLength;
}

function bad(why: string): SyncError {
  return new SyncError('ERR_SYNC_BAD_DELTA', `delta: ${why}`);
}
