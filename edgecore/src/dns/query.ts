import { CLASS_IN, RCODE, TYPE, type Rcode } from './record-types.ts';
import { HEADER_BYTES, walkMessage } from './record-walk.ts';

/** What is asked for. */
export interface Question {
  /** Lower-case, one character a byte; without the root. */
  readonly labels: readonly string[];
  readonly type: number;
  readonly class: number;
  /** Name, type and class, with the letters as they were asked for: answers repeat them (0x20). */
  readonly bytes: Buffer;
}

/** What a client says of itself with EDNS. Source: RFC 6891. */
export interface Edns {
  /** Largest answer over UDP, bytes. */
  readonly udpBytes: number;
  readonly version: number;
  readonly dnssecOk: boolean;
}

/** A question of a client, with its circumstances. */
export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly authenticData: boolean;
  readonly checkingDisabled: boolean;
  /** undefined: there is none that can be read, and `refusal` says so. */
  readonly question: Question | undefined;
  readonly edns: Edns | undefined;
  /** What it is to be answered with, whatever is asked for. */
  readonly refusal: Rcode | undefined;
}

/** Largest query, bytes: a name has 255, and a few options come with it. */
export const MAX_QUERY_BYTES = 4096;
/** Records that a query may have beside its question: an OPT, a signature of the transaction, and some room. */
const MAX_EXTRA_RECORDS = 4;
const LONGEST_NAME = 255;

/**
 * Reads what a client has sent. undefined: it is not to be answered, since it is no query at all, or an answer
 * itself. What is said twice, or makes no sense, is a query with a refusal.
 */
export function readQuery(message: Buffer): Query | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) !== 0) return undefined;
  const opcode = (flags >> 11) & 0xf;
  const base = {
    id: message.readUInt16BE(0),
    opcode,
    recursionDesired: (flags & 0x0100) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
  };
  if (opcode !== 0) return { ...base, question: undefined, edns: undefined, refusal: RCODE.NOTIMP };
  const question = message.length <= MAX_QUERY_BYTES ? readQuestion(message) : undefined;
  const extra = question === undefined ? undefined : readExtra(message);
  if (question === undefined || extra === undefined) {
    return { ...base, question, edns: undefined, refusal: RCODE.FORMERR };
  }
  return { ...base, question, edns: extra.edns, refusal: refusalOf(question, extra.edns) };
}

/** Refused whatever it is about: all of a zone, all of a name, and what is not of the Internet. */
function refusalOf({ type, class: of }: Question, edns: Edns | undefined): Rcode | undefined {
  if (edns !== undefined && edns.version > 0) return RCODE.BADVERS;
  if (of !== CLASS_IN) return RCODE.REFUSED;
  if (type >= TYPE.IXFR && type <= TYPE.ANY) return RCODE.REFUSED;
  // Pseudo records cannot be asked for (RFC 6891 §6.1.1, RFC 8945 §5).
  return type === TYPE.OPT || type === TYPE.TSIG || type === 0 ? RCODE.FORMERR : undefined;
}

/** The one question; nothing before it could be pointed at, so that its name is as it is. */
function readQuestion(message: Buffer): Question | undefined {
  if (message.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let offset = HEADER_BYTES;
  for (;;) {
    const length = message[offset];
    if (length === undefined || length > 63) return undefined;
    offset += 1;
    if (length === 0) break;
    if (offset + length > message.length || offset + length - HEADER_BYTES >= LONGEST_NAME) return undefined;
    labels.push(message.toString('latin1', offset, offset + length).toLowerCase());
    offset += length;
  }
  if (offset + 4 > message.length) return undefined;
  return {
    labels,
    type: message.readUInt16BE(offset),
    class: message.readUInt16BE(offset + 2),
    bytes: Buffer.from(message.subarray(HEADER_BYTES, offset + 4)),
  };
}

/** undefined: it makes no sense. */
function readExtra(message: Buffer): { readonly edns: Edns | undefined } | undefined {
  if (message.readUInt16BE(10) > MAX_EXTRA_RECORDS) return undefined;
  const records = walkMessage(message)?.records;
  if (records?.every(({ section }) => section === 'additional') !== true) return undefined;
  const [option, second] = records.filter(({ type }) => type === TYPE.OPT);
  if (second !== undefined) return undefined;
  if (option === undefined) return { edns: undefined };
  const version = (option.ttl >>> 16) & 0xff;
  const dnssecOk = (option.ttl & 0x8000) !== 0;
  return { edns: { udpBytes: Math.max(512, option.class), version, dnssecOk } };
}

/** The question as it is asked of others, or of the zone itself, for a name of its own. */
export function makeQuestion(name: string, type: number): Question {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.flatMap((label) => {
    const text = Buffer.from(label, 'latin1');
    return [Buffer.of(text.length), text];
  });
  const end = Buffer.of(0, type >> 8, type & 0xff, 0, CLASS_IN);
  const bytes = Buffer.concat([...parts, end]);
  return { labels: labels.map((label) => label.toLowerCase()), type, class: CLASS_IN, bytes };
}
