import { crc32 } from 'node:zlib';

/** A lasting session, in place of what was said of it before; its messages stay. */
export interface SessionRecord {
  readonly t: 'session';
  readonly id: string;
  /** Of its credentials. */
  readonly name: string;
  readonly protocols: readonly string[];
  /** What its definition lets it hear beside. */
  readonly hears: readonly string[];
  /** Filter and QoS. */
  readonly subs: readonly (readonly [string, 0 | 1 | 2])[];
  /** Identifiers of QoS 2 messages that it has published and not released. */
  readonly incoming: readonly number[];
}

/** For whom a message is: session, identifier, QoS, whether as retained, whether PUBREL was said. */
export type Addressee = readonly [
  id: string,
  messageId: number,
  qos: 1 | 2,
  retain: boolean,
  released: boolean,
];

/** What stands in the log, one after the other; a message has its payload behind it. */
export type LogRecord =
  | SessionRecord
  | { readonly t: 'gone'; readonly id: string }
  | {
      readonly t: 'message';
      readonly n: number;
      readonly topic: string;
      readonly qos: 0 | 1 | 2;
      /** Published to be retained. */
      readonly r?: boolean;
      readonly to: readonly Addressee[];
      /** Session and identifier that it came by, as QoS 2. */
      readonly in?: readonly [string, number];
    }
  /** Sessions that do not need messages any more. */
  | { readonly t: 'done'; readonly of: readonly (readonly [id: string, numbers: readonly number[]])[] }
  | { readonly t: 'released'; readonly id: string; readonly n: number }
  | { readonly t: 'in-done'; readonly id: string; readonly messageId: number }
  | {
      readonly t: 'retained';
      readonly topic: string;
      readonly qos: 0 | 1 | 2;
      readonly name: string;
      readonly protocols: readonly string[];
    }
  | { readonly t: 'unretained'; readonly topic: string }
  | {
      readonly t: 'will';
      readonly id: string;
      readonly topic: string;
      readonly qos: 0 | 1 | 2;
      readonly retain: boolean;
    }
  | { readonly t: 'no-will'; readonly id: string };

/** A record with its payload; empty where it has none. */
export interface ReadRecord {
  readonly record: LogRecord;
  readonly payload: Buffer;
}

/** What a log holds. */
export interface LogContents {
  readonly records: readonly ReadRecord[];
  /** Bytes that are no record. */
  readonly lostBytes: number;
  /** Whether there are records behind such bytes: a power cut leaves none. */
  readonly isDamaged: boolean;
}

/** Before each record, so that the next one is found behind damage. */
const MARK = Buffer.from('HWB\x01', 'latin1');
const HEAD_BYTES = 12;
/** Longest body that is believed. */
const BODY_MAX_BYTES = 8 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** `mark, length, CRC-32 of the body (each 4 bytes, big endian), body`; body: `length of JSON (4), JSON, payload`. */
export function encodeRecord(record: LogRecord, payload: Uint8Array = NOTHING): Buffer {
  const json = Buffer.from(JSON.stringify(record));
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + 4 + json.length + payload.length);
  MARK.copy(bytes);
  bytes.writeUInt32BE(bytes.length - HEAD_BYTES, 4);
  bytes.writeUInt32BE(json.length, HEAD_BYTES);
  json.copy(bytes, HEAD_BYTES + 4);
  bytes.set(payload, HEAD_BYTES + 4 + json.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(HEAD_BYTES)), 8);
  return bytes;
}

/** Every record that is whole. */
export function readRecords(log: Buffer): LogContents {
  const records: ReadRecord[] = [];
  let lostBytes = 0;
  let isDamaged = false;
  for (let at = 0; at < log.length;) {
    const length = lengthAt(log, at);
    const read = length === undefined ? undefined : parse(log.subarray(at + HEAD_BYTES, at + length));
    if (length !== undefined && read !== undefined) {
      if (lostBytes > 0) isDamaged = true;
      records.push(read);
      at += length;
      continue;
    }
    const next = log.indexOf(MARK, at + 1);
    lostBytes += (next < 0 ? log.length : next) - at;
    at = next < 0 ? log.length : next;
  }
  return { records, lostBytes, isDamaged };
}

/** Length of the record at `at`, header included, where its checksum is right. */
function lengthAt(log: Buffer, at: number): number | undefined {
  if (at + HEAD_BYTES > log.length || !log.subarray(at, at + 4).equals(MARK)) return undefined;
  const body = log.readUInt32BE(at + 4);
  if (body < 4 || body > BODY_MAX_BYTES || at + HEAD_BYTES + body > log.length) return undefined;
  const sum = crc32(log.subarray(at + HEAD_BYTES, at + HEAD_BYTES + body));
  return sum === log.readUInt32BE(at + 8) ? HEAD_BYTES + body : undefined;
}

/** undefined: its checksum is right, and it is none of this release all the same. */
function parse(body: Buffer): ReadRecord | undefined {
  const json = body.readUInt32BE(0);
  if (4 + json > body.length) return undefined;
  try {
    const record = JSON.parse(body.toString('utf8', 4, 4 + json)) as LogRecord;
    // Copied: else one small payload would keep the whole file in memory.
    return { record, payload: Buffer.from(body.subarray(4 + json)) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
