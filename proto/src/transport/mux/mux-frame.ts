import { TunnelError } from '../../errors.ts';

/**
 * Frames of the stream multiplexer. A message of its carrier (a binary one of a WebSocket) holds one or more frames, a frame never spans
 * messages. Frame: type (1 byte), stream id (varint), payload length (varint), payload.
 */
export const FRAME = {
  /** Opens a stream. Payload: StreamOpen. */
  open: 1,
  /** Bytes of a stream. */
  data: 2,
  /** The sender of this sends no more on the stream. No payload. */
  end: 3,
  /** The sender gives the stream up, both ways. No payload. */
  reset: 4,
  /** Payload: varint, more bytes that the receiver of this may send on the stream. */
  window: 5,
  /** Stream id 0. Payload: varint, more streams that the receiver of this may open. */
  streams: 6,
  /** Stream id 0, last frame of a connection. Payload: CloseNotice. */
  close: 7,
} as const;

/** Frame types from here on may be ignored by a receiver that does not know them. */
export const IGNORABLE_TYPES_FROM = 0x80;

/** A decoded frame; `payload` is a view of the message. */
export interface MuxFrame {
  readonly type: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Longest head of a frame: type, and two varints of at most five bytes. */
const MAX_HEAD_BYTES = 11;
/** Stream ids and lengths stay below 2³¹. */
const MAX_VARINT = 2 ** 31 - 1;

/** Bytes that the head of a frame takes. */
export function headLength(streamId: number, payloadLength: number): number {
  return 1 + varintLength(streamId) + varintLength(payloadLength);
}

/** Writes the head of a frame at `at`; returns where the payload goes. */
export function writeHead(
  target: Buffer,
  at: number,
  type: number,
  streamId: number,
  payloadLength: number,
): number {
  target[at] = type;
  return writeVarint(target, writeVarint(target, at + 1, streamId), payloadLength);
}

/** Encodes a whole frame. */
export function encodeMuxFrame(
  type: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
): Buffer {
  const frame = Buffer.allocUnsafe(headLength(streamId, payload.length) + payload.length);
  frame.set(payload, writeHead(frame, 0, type, streamId, payload.length));
  return frame;
}

/** Encodes a number as the payload of WINDOW and STREAMS. */
export function encodeCredit(credit: number): Buffer {
  const payload = Buffer.allocUnsafe(varintLength(credit));
  writeVarint(payload, 0, credit);
  return payload;
}

/** Decodes the payload of WINDOW and STREAMS. @throws TunnelError `ERR_TUNNEL_BAD_FRAME` */
export function decodeCredit(payload: Buffer): number {
  const reader = new VarintReader(payload);
  const credit = reader.next();
  if (reader.position !== payload.length || credit === 0) throw badFrame('a credit is one varint above zero');
  return credit;
}

/** The frames of one message, in order. @throws TunnelError `ERR_TUNNEL_BAD_FRAME` */
export function* decodeMuxFrames(message: Buffer): Generator<MuxFrame, void, undefined> {
  if (message.length === 0) throw badFrame('empty message');
  const reader = new VarintReader(message);
  while (reader.position < message.length) {
    const type = reader.byte();
    const streamId = reader.next();
    const length = reader.next();
    const end = reader.position + length;
    if (end > message.length) throw badFrame(`frame of ${length} bytes in a message that ends before`);
    yield { type, streamId, payload: message.subarray(reader.position, end) };
    reader.position = end;
  }
}

/** The error for bytes that break the protocol. */
export function badFrame(what: string): TunnelError {
  return new TunnelError('ERR_TUNNEL_BAD_FRAME', what);
}

class VarintReader {
  readonly #bytes: Buffer;
  position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.position];
    if (byte === undefined) throw badFrame('truncated frame');
    this.position += 1;
    return byte;
  }

  /** LEB128, at most five bytes, shortest form only. */
  next(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      if (byte === 0 && shift > 0) throw badFrame('number in more bytes than it needs');
      if (value > MAX_VARINT) throw badFrame('number too large');
      return value;
    }
    throw badFrame('number too long');
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

function writeVarint(target: Buffer, at: number, value: number): number {
  let rest = value;
  let position = at;
  while (rest >= 0x80) {
    target[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[position++] = rest;
  return position;
}

export { MAX_HEAD_BYTES };
