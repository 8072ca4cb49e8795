import { TunnelError } from '../errors.ts';
import type { Stream } from './stream.ts';

/** Longest length prefix: lengths stay below 2³¹, five bytes of LEB128. */
const MAX_PREFIX_BYTES = 5;
/** What a message that comes in pieces is gathered in at first. */
const MIN_BUFFER_BYTES = 4 * 1024;

/** A message with its length before it, as it travels. Made once, it can be sent on any number of streams. */
export function frameMessage(message: Uint8Array): Buffer {
  let prefixLength = 1;
  for (let rest = message.length; rest >= 0x80; rest >>>= 7) prefixLength += 1;
  const framed = Buffer.allocUnsafe(prefixLength + message.length);
  let rest = message.length;
  for (let at = 0; at < prefixLength; at++) {
    framed[at] = at + 1 < prefixLength ? (rest & 0x7f) | 0x80 : rest;
    rest >>>= 7;
  }
  framed.set(message, prefixLength);
  return framed;
}

/** What messages travel on: bytes both ways, undefined at the end. */
export type ByteStream = Pick<Stream, 'read' | 'write'>;

/**
 * Messages over a stream: each is preceded by its length as a varint (protobuf's delimited form). Memory is
 * bounded by `maxBytes`: a longer message is refused by its prefix, before it is read.
 */
export class MessageStream<S extends ByteStream = Stream> {
  readonly stream: S;
  /** Longest message accepted, bytes. */
  maxBytes: number;
  #unread: Uint8Array | undefined;

  constructor(stream: S, maxBytes: number) {
    this.stream = stream;
    this.maxBytes = maxBytes;
  }

  /** Sends a message; resolves when the next one makes sense. */
  send(message: Uint8Array): Promise<void> {
    return this.stream.write(frameMessage(message));
  }

  /** Sends what {@link frameMessage} made. */
  sendFramed(framed: Buffer): Promise<void> {
    return this.stream.write(framed);
  }

  /**
   * The next message, or undefined at a clean end. One call at a time.
   * @throws TunnelError `ERR_TUNNEL_LIMIT` for a longer one, `ERR_TUNNEL_BAD_FRAME` for an end within a message; the
   *   stream's own errors
   */
  async receive(): Promise<Uint8Array | undefined> {
    const length = await this.#readLength();
    if (length === undefined) return undefined;
    if (length > this.maxBytes) {
      throw new TunnelError(
        'ERR_TUNNEL_LIMIT',
        `message of ${length} bytes, at most ${this.maxBytes} are accepted`,
      );
    }
    return this.#readBytes(length);
  }

  /** Bytes that came behind the last message, for whoever reads the stream from here on. */
  takeUnread(): Uint8Array | undefined {
    const unread = this.#unread;
    this.#unread = undefined;
    return unread;
  }

  async #readLength(): Promise<number | undefined> {
    let length = 0;
    for (let index = 0; index < MAX_PREFIX_BYTES; index++) {
      const chunk = await this.#chunk();
      if (chunk === undefined) {
        if (index === 0) return undefined;
        throw endedWithin();
      }
      const byte = chunk[0] ?? 0; // #chunk gives no empty ones
      this.#unread = chunk.length > 1 ? chunk.subarray(1) : undefined;
      length += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return length;
    }
    throw new TunnelError('ERR_TUNNEL_BAD_FRAME', 'length prefix of a message is too long');
  }

  /**
   * A message within one chunk is a view of it. Any other is gathered in a buffer that grows with what has come:
   * neither a prefix alone nor a stream of tiny chunks costs more memory than the bytes that were sent.
   */
  async #readBytes(length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0);
    const first = await this.#piece(length);
    if (first.length === length) return first;
    let message = Buffer.allocUnsafe(Math.min(length, Math.max(MIN_BUFFER_BYTES, first.length * 2)));
    message.set(first);
    for (let filled = first.length; filled < length;) {
      const piece = await this.#piece(length - filled);
      if (filled + piece.length > message.length) {
        const larger = Buffer.allocUnsafe(Math.min(length, (filled + piece.length) * 2));
        message.copy(larger, 0, 0, filled);
        message = larger;
      }
      message.set(piece, filled);
      filled += piece.length;
    }
    return message;
  }

  /** The next bytes of a message, at most `limitBytes`. */
  async #piece(limitBytes: number): Promise<Uint8Array> {
    const chunk = await this.#chunk();
    if (chunk === undefined) throw endedWithin();
    this.#unread = chunk.length > limitBytes ? chunk.subarray(limitBytes) : undefined;
    return chunk.length > limitBytes ? chunk.subarray(0, limitBytes) : chunk;
  }

  async #chunk(): Promise<Uint8Array | undefined> {
    if (this.#unread !== undefined) return this.#unread;
    let chunk = await this.stream.read();
    while (chunk?.length === 0) chunk = await this.stream.read();
    return chunk;
  }
}

function endedWithin(): TunnelError {
  return new TunnelError('ERR_TUNNEL_BAD_FRAME', 'the stream ended within a message');
}
