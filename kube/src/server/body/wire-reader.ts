/** One field of a protobuf message. */
export interface WireField {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wireType: number;
  /** For varints. */
  readonly varint: bigint;
  /** For everything else. */
  readonly bytes: Buffer;
}

const EMPTY = Buffer.alloc(0);
const VARINT_LIMIT = 10;

/**
 * Reads a protobuf message's fields in order.
 * Source: Protocol Buffers encoding guide.
 * @throws RangeError if the bytes are no message.
 */
export function* wireFields(message: Buffer): Generator<WireField> {
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let index = 0; index < VARINT_LIMIT; index += 1) {
      const byte = message[offset];
      if (byte === undefined) throw new RangeError('unexpected EOF');
      offset += 1;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if ((byte & 0x80) === 0) return BigInt.asUintN(64, value);
    }
    throw new RangeError('proto: integer overflow');
  };
  const take = (length: number): Buffer => {
    if (length > message.length - offset) throw new RangeError('unexpected EOF');
    const bytes = message.subarray(offset, offset + length);
    offset += length;
    return bytes;
  };
  while (offset < message.length) {
    const key = Number(varint());
    const number = Math.floor(key / 8);
    const wireType = key & 7;
    switch (wireType) {
      case 0:
        yield { number, wireType, varint: varint(), bytes: EMPTY };
        break;
      case 1:
        yield { number, wireType, varint: 0n, bytes: take(8) };
        break;
      case 2:
        yield { number, wireType, varint: 0n, bytes: take(Number(varint())) };
        break;
      case 5:
        yield { number, wireType, varint: 0n, bytes: take(4) };
        break;
      default:
        throw new RangeError(`proto: illegal wireType ${wireType}`);
    }
  }
}
