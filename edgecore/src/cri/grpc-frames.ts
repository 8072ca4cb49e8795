const HEAD_BYTES = 5;

/** A message as gRPC puts it into a stream: not compressed, its length, its bytes. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, HEAD_BYTES);
  return frame;
}

/**
 * Puts messages together from the bytes of a stream, however these are cut.
 * Source: gRPC over HTTP/2, "Length-Prefixed-Message".
 */
export class FrameReader {
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the message that is being read, with its head; undefined: the head is not complete. */
  #wanted: number | undefined;

  /** @param limitBytes of one message */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Whether the stream is in the middle of a message. */
  get partial(): boolean {
    return this.#bytes > 0;
  }

  /**
   * Takes bytes; answers the messages that are complete now.
   * @throws RangeError for a message beyond the limit, or a compressed one, which nobody asked for
   */
  push(chunk: Buffer): Uint8Array[] {
    const messages: Uint8Array[] = [];
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= (this.#wanted ?? HEAD_BYTES)) {
      if (this.#wanted === undefined) {
        this.#wanted = this.#readHead();
        continue;
      }
      const bytes = this.#joined();
      messages.push(bytes.subarray(HEAD_BYTES, this.#wanted));
      this.#keep(bytes.subarray(this.#wanted));
      this.#wanted = undefined;
    }
    return messages;
  }

  #readHead(): number {
    const bytes = this.#joined();
    const length = bytes.readUInt32BE(1);
    if (bytes.readUInt8(0) !== 0) throw new RangeError('a compressed message, which was not asked for');
    if (length > this.#limitBytes) {
      throw new RangeError(`a message of ${length} bytes; more than ${this.#limitBytes} are not taken`);
    }
    this.#keep(bytes);
    return HEAD_BYTES + length;
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined
      ? first
      : Buffer.concat(this.#chunks, this.#bytes);
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
  }
}
