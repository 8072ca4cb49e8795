import { CLASS_IN } from './record-types.ts';

/** Length of a message's header, bytes. Source: RFC 1035 §4.1.1. */
export const HEADER_BYTES = 12;

/** Where a record of a message is, and what of it is looked at. Offsets are from the start of the message. */
export interface RecordPlace {
  readonly section: 'answer' | 'authority' | 'additional';
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly ttlOffset: number;
  readonly rdataOffset: number;
  readonly rdataBytes: number;
}

/** Where things are in a message. */
export interface MessagePlaces {
  /** End of the question, which is not compressed. */
  readonly questionEnd: number;
  readonly records: readonly RecordPlace[];
}

const SECTIONS = ['answer', 'authority', 'additional'] as const;
/** Most records of a message that are looked at: what 64 KiB can hold of real ones is a tenth of it. */
const MAX_RECORDS = 8192;

/**
 * Finds the records of a message with one question, without following any compressed name: the work is bounded by the
 * length of the message. undefined: it is not one.
 */
export function walkMessage(message: Buffer): MessagePlaces | undefined {
  if (message.length < HEADER_BYTES || message.readUInt16BE(4) !== 1) return undefined;
  const nameEnd = skipName(message, HEADER_BYTES);
  if (nameEnd === undefined || nameEnd + 4 > message.length) return undefined;
  const counts = [message.readUInt16BE(6), message.readUInt16BE(8), message.readUInt16BE(10)];
  if (counts.reduce((sum, count) => sum + count, 0) > MAX_RECORDS) return undefined;
  const records: RecordPlace[] = [];
  let offset = nameEnd + 4;
  for (const [index, section] of SECTIONS.entries()) {
    for (let count = counts[index] ?? 0; count > 0; count -= 1) {
      const place = recordAt(message, offset, section);
      if (place === undefined) return undefined;
      records.push(place);
      offset = place.rdataOffset + place.rdataBytes;
    }
  }
  return { questionEnd: nameEnd + 4, records };
}

function recordAt(message: Buffer, offset: number, section: RecordPlace['section']): RecordPlace | undefined {
  const start = skipName(message, offset);
  if (start === undefined || start + 10 > message.length) return undefined;
  const rdataBytes = message.readUInt16BE(start + 8);
  if (start + 10 + rdataBytes > message.length) return undefined;
  return {
    section,
    type: message.readUInt16BE(start),
    class: message.readUInt16BE(start + 2),
    ttl: message.readUInt32BE(start + 4),
    ttlOffset: start + 4,
    rdataOffset: start + 10,
    rdataBytes,
  };
}

/** The place after a name; undefined: it runs out of the message. Source: RFC 1035 §4.1.4. */
function skipName(message: Buffer, from: number): number | undefined {
  let offset = from;
  while (offset < message.length) {
    const length = message[offset] ?? 0;
    if (length === 0) return offset + 1;
    if (length >= 0xc0) return offset + 2 <= message.length ? offset + 2 : undefined;
    if (length > 63) return undefined;
    offset += 1 + length;
  }
  return undefined;
}

/** Whether a record is of the Internet, as all of them are but pseudo records. */
export function isInternet(place: RecordPlace): boolean {
  return place.class === CLASS_IN;
}
