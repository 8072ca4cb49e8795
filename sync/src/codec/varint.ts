/** Longest number: seven bits each, 49 bits in all, exact in a double. */
const MAX_VARINT_BYTES = 7;

/** Writes numbers and bytes one after the other into memory that grows. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  /** @param roomBytes how much there is at first; default 256 */
  constructor(roomBytes = 256) {
    this.#bytes = Buffer.allocUnsafe(roomBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** A whole number from 0 to 2^49 - 1: seven bits a byte, the low ones first, the high bit says that more follow. */
  varint(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** What was written: a view, good until more is. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#length + bytes, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Reads what {@link ByteWriter} wrote, from a peer that may be hostile. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #fail: (why: string) => Error;
  #at = 0;

  /** @param fail makes the error that is thrown where the bytes are not what they should be */
  constructor(bytes: Uint8Array, fail: (why: string) => Error) {
    this.#bytes = bytes;
    this.#fail = fail;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    let weight = 1;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw this.#fail('truncated in a number');
      value += (byte & 0x7f) * weight;
      if (byte < 0x80) return value;
      weight *= 0x80;
    }
    throw this.#fail('a number that does not end');
  }

  /** A view of the next bytes. */
  bytes(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw this.#fail('truncated');
    const view = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return view;
  }
}
