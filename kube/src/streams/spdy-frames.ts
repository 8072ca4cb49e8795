/** Source: SPDY Protocol, draft 3.1, section 2.2. */
const CONTROL_BIT = 0x80;
const VERSION = 3;
const HEAD_BYTES = 8;
/** Of a frame that opens a stream, before its headers: two streams, the priority, a slot. */
const SYN_HEAD_BYTES = 10;
const FIN = 0x01;
/** Deflate, a window of 32 KiB, no dictionary. Source: RFC 1950, section 2.2. */
const ZLIB_HEAD = Buffer.from([0x78, 0x01]);
/** An empty block: what came before is to be given out now. Go's reader would wait for more otherwise. */
const FLUSH = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff]);

/** Types of control frames that matter to streams of commands and ports. Source: as above, section 2.6. */
const TYPE = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const;

/** A frame that came, as far as streams of commands and ports need to know it. */
export type SpdyFrame =
  | { readonly kind: 'open'; readonly stream: number; readonly headers: Buffer; readonly isLast: boolean }
  | { readonly kind: 'data'; readonly stream: number; readonly bytes: Buffer; readonly isLast: boolean }
  | { readonly kind: 'reset'; readonly stream: number; readonly status: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'go-away' }
  | { readonly kind: 'other' };

/** Bytes of a stream. */
export function dataFrame(stream: number, bytes: Uint8Array, isLast = false): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(stream, 0);
  head.writeUInt32BE(bytes.length, 4);
  head[4] = isLast ? FIN : 0;
  return Buffer.concat([head, bytes]);
}

/** Opens a stream. @param headers a block of {@link HeaderBlocks} */
export function synStreamFrame(stream: number, headers: Buffer): Buffer {
  const body = Buffer.alloc(SYN_HEAD_BYTES); // no associated stream, the highest priority
  body.writeUInt32BE(stream, 0);
  return controlFrame(TYPE.synStream, Buffer.concat([body, headers]));
}

/** Says that a stream was opened. @param headers a block of {@link HeaderBlocks} */
export function synReplyFrame(stream: number, headers: Buffer): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(stream, 0);
  return controlFrame(TYPE.synReply, Buffer.concat([body, headers]));
}

/** Answers a ping of the peer, or asks for an answer. */
export function pingFrame(id: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(id, 0);
  return controlFrame(TYPE.ping, body);
}

/**
 * Names and values of headers, as one zlib stream over all frames of a connection. They are stored in it, not
 * compressed: a few words are not worth a compressor. Source: SPDY section 2.6.10; RFC 1950; RFC 1951, section 3.2.4.
 */
export class HeaderBlocks {
  #isBegun = false;

  /** The next block. @param headers names in lower case */
  next(headers: Readonly<Record<string, string>>): Buffer {
    const parts = [uint32(Object.keys(headers).length)];
    for (const text of Object.entries(headers).flat())
      parts.push(uint32(Buffer.byteLength(text)), Buffer.from(text));
    const plain = Buffer.concat(parts);
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(plain.length, 1);
    stored.writeUInt16LE(~plain.length & 0xffff, 3);
    const begin = this.#isBegun ? [] : [ZLIB_HEAD];
    this.#isBegun = true;
    return Buffer.concat([...begin, stored, plain, FLUSH]);
  }
}

/** Cuts what comes into frames. Keeps one incomplete frame at most; a longer one than `maxBytes` is refused. */
export class SpdyFrames {
  readonly #maxBytes: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The frames that are complete now. @throws RangeError for one that is too long, or of another version */
  push(bytes: Buffer): SpdyFrame[] {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const frames: SpdyFrame[] = [];
    while (rest.length >= HEAD_BYTES) {
      const length = rest.readUIntBE(5, 3);
      if (length > this.#maxBytes)
        throw new RangeError(`a frame of ${length} bytes, at most ${this.#maxBytes} are taken`);
      if (rest.length < HEAD_BYTES + length) break;
      frames.push(readFrame(rest.subarray(0, HEAD_BYTES), rest.subarray(HEAD_BYTES, HEAD_BYTES + length)));
      rest = rest.subarray(HEAD_BYTES + length);
    }
    this.#rest = rest;
    return frames;
  }
}

function readFrame(head: Buffer, body: Buffer): SpdyFrame {
  const flags = head.readUInt8(4);
  const isControl = (head.readUInt8(0) & CONTROL_BIT) !== 0;
  if (!isControl) {
    return { kind: 'data', stream: head.readUInt32BE(0), bytes: body, isLast: (flags & FIN) !== 0 };
  }
  const version = head.readUInt16BE(0) & 0x7fff;
  if (version !== VERSION) throw new RangeError(`a frame of SPDY ${version}`);
  switch (head.readUInt16BE(2)) {
    case TYPE.synStream:
      return {
        ...{
          kind: 'open',
          stream: body.readUInt32BE(0) & 0x7fffffff,
          headers: body.subarray(SYN_HEAD_BYTES),
        },
        isLast: (flags & FIN) !== 0,
      };
    case TYPE.rstStream:
      return { kind: 'reset', stream: body.readUInt32BE(0), status: body.readUInt32BE(4) };
    case TYPE.ping:
      return { kind: 'ping', id: body.readUInt32BE(0) };
    case TYPE.goAway:
      return { kind: 'go-away' };
    default:
      // Replies to our streams, settings, windows: nothing of them matters here.
      return { kind: 'other' };
  }
}

function controlFrame(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(0x8000 | VERSION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(body.length, 4); // no flags: they would be the first byte
  return Buffer.concat([head, body]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}
