import { PropertyError } from '@hawser/mapper-sdk';
import type { DataConverter } from '../config.ts';
import { fractionOf, operate, round, toNumber, undo, type Fraction } from './fraction.ts';

/** Bits of a number that was shifted to the left. */
const WORD = 64;

/** Bytes between `startIndex` and `endIndex`, themselves included. */
export function widthOf({ startIndex, endIndex }: DataConverter): number {
  return Math.abs(endIndex - startIndex) + 1;
}

/**
 * The bytes from `startIndex` to `endIndex`, in that order.
 * @throws PropertyError there are not so many
 */
export function slice(bytes: Uint8Array, converter: DataConverter): Buffer {
  const { startIndex, endIndex } = converter;
  const last = Math.max(startIndex, endIndex);
  if (last >= bytes.length)
    throw new PropertyError(
      `has ${bytes.length} bytes, and none at index ${last}: see \`startIndex\` and \`endIndex\``,
    );
  const part = Buffer.from(bytes.subarray(Math.min(startIndex, endIndex), last + 1));
  return startIndex <= endIndex ? part : part.reverse();
}

/**
 * The number that bytes hold: the first byte counts most, shifted, and then what the operations say.
 * @throws PropertyError there are not so many bytes
 */
export function numberFrom(bytes: Uint8Array, converter: DataConverter): Fraction {
  return valueOf(rawFrom(slice(bytes, converter)), converter);
}

/**
 * Bytes that hold the number nearest to a value, in place of those that the device has.
 * @param held what it has; undefined: that cannot be read
 * @throws PropertyError the number does not fit, or what is around it is not known
 */
export function bytesFor(value: Fraction, converter: DataConverter, held: Uint8Array | undefined): Buffer {
  const { startIndex, endIndex, shiftRight } = converter;
  const first = Math.min(startIndex, endIndex);
  const last = Math.max(startIndex, endIndex);
  if (held === undefined && (first > 0 || shiftRight > 0))
    throw new PropertyError(
      'is a part of a characteristic that cannot be read: what is around it is not known. Use `dataWrite`',
    );
  if (held !== undefined && held.length < first)
    throw new PropertyError(`has ${held.length} bytes, and none before index ${first}`);
  const result = Buffer.alloc(Math.max(held?.length ?? 0, last + 1));
  result.set(held ?? []);
  const raw = rawFor(value, converter, rawFrom(slice(result, converter)));
  const part = Buffer.from(raw.toString(16).padStart(2 * widthOf(converter), '0'), 'hex');
  result.set(startIndex <= endIndex ? part : part.reverse(), first);
  return result;
}

/** Of bytes, the first one counting most. */
export function rawFrom(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function valueOf(raw: bigint, converter: DataConverter): Fraction {
  const { shiftLeft, shiftRight, signed, orderOfOperations } = converter;
  const number = signed ? BigInt.asIntN(8 * widthOf(converter), raw) : raw;
  const up = number << BigInt(shiftLeft);
  const shifted =
    shiftLeft > 0
      ? signed
        ? BigInt.asIntN(WORD, up)
        : BigInt.asUintN(WORD, up)
      : number >> BigInt(shiftRight);
  return operate(fractionOf(shifted), orderOfOperations);
}

function rawFor(value: Fraction, converter: DataConverter, held: bigint): bigint {
  const { shiftLeft, shiftRight, signed, orderOfOperations } = converter;
  const bits = 8 * widthOf(converter);
  const wanted = round(undo(value, orderOfOperations));
  if (shiftLeft > 0 && BigInt.asUintN(shiftLeft, wanted) !== 0n)
    throw new PropertyError(
      `cannot hold this number: its last ${shiftLeft} bits are always 0 (\`shiftLeft\`)`,
    );
  const number = shiftLeft > 0 ? wanted >> BigInt(shiftLeft) : wanted << BigInt(shiftRight);
  const fits = signed ? BigInt.asIntN(bits, number) === number : BigInt.asUintN(bits, number) === number;
  if (!fits) throw new PropertyError(`cannot hold this number: ${rangeOf(converter)}`);
  // What is shifted away when it is read belongs to somebody else.
  return BigInt.asUintN(bits, number) | BigInt.asUintN(shiftRight, held);
}

function rangeOf(converter: DataConverter): string {
  const bits = BigInt(8 * widthOf(converter));
  const ends = converter.signed ? [1n << (bits - 1n), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
  const [low = 0, high = 0] = ends.map((raw) => toNumber(valueOf(raw, converter))).sort((a, b) => a - b);
  return `it takes ${low} to ${high}`;
}
