import { TunnelError } from '../../errors.ts';
import { MAX_STREAM_CAPSULE_BYTES, STREAM_ID } from './settings.ts';

/** What a capsule's payload begins with, and how long it may be, bytes. */
interface CapsuleRule {
  readonly name: string;
  readonly fields: readonly ('stream' | 'number')[];
  readonly minBytes: number;
  readonly maxBytes: number;
}

/** Longest payload of nothing but numbers. */
const MAX_NUMBERS_BYTES = 16;

/** The capsules that two ends of ours send each other. Source: draft-ietf-webtrans-http2, section 6; RFC 9297. */
const RULES: ReadonlyMap<number, CapsuleRule> = new Map([
  [0x190b4d3b, { name: 'WT_STREAM', fields: ['stream'], minBytes: 1, maxBytes: MAX_STREAM_CAPSULE_BYTES }],
  [0x190b4d3d, numbers('WT_MAX_DATA', 'number')],
  [0x190b4d3e, numbers('WT_MAX_STREAM_DATA', 'stream', 'number')],
  [0x190b4d41, numbers('WT_DATA_BLOCKED', 'number')],
  [0x190b4d42, numbers('WT_STREAM_DATA_BLOCKED', 'stream', 'number')],
  [0x2843, { name: 'CLOSE_WEBTRANSPORT_SESSION', fields: [], minBytes: 4, maxBytes: 1028 }],
]);

function numbers(name: string, ...fields: CapsuleRule['fields']): CapsuleRule {
  return { name, fields, minBytes: fields.length, maxBytes: MAX_NUMBERS_BYTES };
}

/** Longest capsule up to the last of its numbers: type, length, stream id and another one. */
const MAX_HEAD_BYTES = 32;

/**
 * Looks at every byte of a session before the library does, and lets through what an end of ours sends. The library
 * believes its peer: a capsule that is shorter than what it should hold makes it throw, streams that nobody asked for
 * and datagrams pile up in it.
 */
export class CapsuleGuard {
  readonly #head = Buffer.alloc(MAX_HEAD_BYTES);
  #headBytes = 0;
  /** What is left of a payload that holds nothing to look at. */
  #skipBytes = 0;

  /** @throws TunnelError `ERR_TUNNEL_BAD_FRAME` */
  check(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, chunk.length - at);
        this.#skipBytes -= skipped;
        at += skipped;
        continue;
      }
      this.#head[this.#headBytes] = chunk[at] ?? 0; // within the chunk
      this.#headBytes += 1;
      at += 1;
      this.#judge();
    }
  }

  /** Looks at a capsule as soon as all of its numbers are there. */
  #judge(): void {
    const head = this.#head.subarray(0, this.#headBytes);
    const type = readVarint(head, 0);
    const length = type && readVarint(head, type.end);
    if (type === undefined || length === undefined) return;
    const rule = RULES.get(type.value);
    if (rule === undefined) throw refused(`a capsule of type 0x${type.value.toString(16)}`);
    if (length.value < rule.minBytes || length.value > rule.maxBytes)
      throw refused(`${rule.name} of ${length.value} bytes`);
    let at = length.end;
    for (const field of rule.fields) {
      const number = readVarint(head, at);
      if (number === undefined) return;
      if (field === 'stream' && number.value !== STREAM_ID)
        throw refused(`${rule.name} for stream ${number.value}`);
      at = number.end;
    }
    const rest = length.value - (at - length.end);
    if (rest < 0 || (rest > 0 && rule.maxBytes === MAX_NUMBERS_BYTES))
      throw refused(`${rule.name} of ${length.value} bytes for other contents`);
    this.#headBytes = 0;
    this.#skipBytes = rest;
  }
}

/** A QUIC varint (RFC 9000, section 16), or undefined where it is not all there. Above 2^53 it is not exact. */
function readVarint(bytes: Buffer, at: number): { value: number; end: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const end = at + 2 ** (first >> 6);
  if (end > bytes.length) return undefined;
  let value = first & 0x3f;
  for (let i = at + 1; i < end; i++) value = value * 256 + (bytes[i] ?? 0);
  return { value, end };
}

function refused(what: string): TunnelError {
  return new TunnelError('ERR_TUNNEL_BAD_FRAME', what);
}
