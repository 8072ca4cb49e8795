import { decode, type Answer } from 'dns-packet';
import type { AnswerRecord } from './answer-record.ts';
import { normalName } from './names.ts';
import { TYPE } from './record-types.ts';
import { isInternet, walkMessage } from './record-walk.ts';

/** What an upstream answer says of how long it holds. */
export interface Lifetime {
  /** Seconds; 0: it is not kept. */
  readonly ttl: number;
  readonly negative: boolean;
  /** Where the TTLs of its records are. */
  readonly ttlOffsets: readonly number[];
}

/** Longest that an answer is kept, seconds; shorter than what owners say, so that a change is seen soon. */
const MAX_POSITIVE = 300;
const MAX_NEGATIVE = 30;
const RCODE_BITS = 0xf;
const NXDOMAIN = 3;

/** How long an answer may be kept. Of a truncated one, of a failure, and of what cannot be read: not at all. */
export function lifetimeOf(message: Buffer): Lifetime {
  const places = walkMessage(message);
  const flags = message.length >= 12 ? message.readUInt16BE(2) : 0;
  const rcode = flags & RCODE_BITS;
  const nothing = { ttl: 0, negative: false, ttlOffsets: [] };
  if (places === undefined || (flags & 0x0200) !== 0 || (rcode !== 0 && rcode !== NXDOMAIN)) return nothing;
  const records = places.records.filter((place) => isInternet(place) && place.type !== TYPE.OPT);
  const ttlOffsets = records.map(({ ttlOffset }) => ttlOffset);
  const answers = records.filter(({ section }) => section === 'answer');
  if (rcode === 0 && answers.length > 0) {
    const ttl = Math.min(MAX_POSITIVE, ...records.map(({ ttl: one }) => one));
    return { ttl, negative: false, ttlOffsets };
  }
  // RFC 2308 §5: only what has an SOA says how long it is not there.
  const soa = records.find(({ section, type }) => section === 'authority' && type === TYPE.SOA);
  if (soa === undefined || soa.rdataBytes < 4) return nothing;
  const minimum = message.readUInt32BE(soa.rdataOffset + soa.rdataBytes - 4);
  return { ttl: Math.min(MAX_NEGATIVE, soa.ttl, minimum), negative: true, ttlOffsets };
}

/** An answer as it is `ageSeconds` later: what is left of each TTL, and `least` of those that are over. */
export function aged(message: Buffer, { ttlOffsets }: Lifetime, ageSeconds: number, least: number): Buffer {
  const copy = Buffer.from(message);
  for (const offset of ttlOffsets) {
    copy.writeUInt32BE(Math.max(least, copy.readUInt32BE(offset) - ageSeconds), offset);
  }
  return copy;
}

const PASSED = new Set(['A', 'AAAA', 'CNAME', 'PTR', 'SRV', 'TXT']);
/** Largest answer that is taken apart: names in it may point at each other, which takes time. */
const MAX_BYTES = 8192;

/**
 * The records of an answer that go behind a CNAME of ours, with their names in full.
 * @returns undefined: it cannot be read, or has names that cannot be written again
 */
export function recordsOf(message: Buffer): readonly AnswerRecord[] | undefined {
  if (message.length > MAX_BYTES) return undefined;
  try {
    const { answers = [] } = decode(message);
    const records = answers.filter(isPassed);
    return records.every(hasNames) ? records : undefined;
  } catch {
    return undefined; // whoever asks says so
  }
}

function isPassed(answer: Answer): answer is Answer & AnswerRecord {
  return PASSED.has(answer.type) && 'class' in answer && answer.class === 'IN';
}

/** Whether all of its names are ones that the library writes as it has read them. */
function hasNames(record: AnswerRecord): boolean {
  const { type, name, data } = record;
  if (normalName(name) === undefined) return false;
  if (type === 'SRV') return normalName(data.target) !== undefined;
  return type === 'CNAME' || type === 'PTR' ? normalName(data) !== undefined : true;
}
