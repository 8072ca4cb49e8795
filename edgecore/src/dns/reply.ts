import { RecordEncoder, type Answered } from './answer-record.ts';
import type { Edns, Query } from './query.ts';
import { RCODE, TYPE, type Rcode } from './record-types.ts';
import { HEADER_BYTES, walkMessage } from './record-walk.ts';

/** What we say of ourselves: no fragments on any network. Source: DNS flag day 2020. */
export const OUR_UDP_BYTES = 1232;
const CLASSIC_UDP_BYTES = 512;
const MAX_TCP_BYTES = 65_535;

const FLAG = { answer: 0x8000, authoritative: 0x0400, truncated: 0x0200, desired: 0x0100, available: 0x0080 };
/** Flags of an upstream answer that are passed on: truncated, authentic data, checking disabled, and the code. */
const PASSED_ON = 0x0200 | 0x0020 | 0x0010 | 0x000f;

/** The way an answer takes. */
export type Way = 'udp' | 'tcp';

/** Most bytes that an answer may have. */
export function limitBytes({ edns }: Query, way: Way): number {
  if (way === 'tcp') return MAX_TCP_BYTES;
  return edns === undefined ? CLASSIC_UDP_BYTES : Math.min(edns.udpBytes, OUR_UDP_BYTES);
}

/** An answer without any record. */
export function emptyReply(query: Query, rcode: Rcode): Buffer {
  const option = optionRecord(query.edns, rcode);
  const question = query.question?.bytes;
  const parts = question === undefined ? [option] : [question, option];
  const counts = { questions: question === undefined ? 0 : 1, additionals: option.length > 0 ? 1 : 0 };
  return Buffer.concat([header(query, FLAG.answer | FLAG.available | (rcode & 0xf), counts), ...parts]);
}

/** The answer to a question. What does not fit is left out, and the answer then says that it is truncated. */
export function makeReply(query: Query, answered: Answered, way: Way): Buffer {
  const { question } = query;
  if (question === undefined) return emptyReply(query, answered.rcode);
  const option = optionRecord(query.edns, answered.rcode);
  let room = limitBytes(query, way) - HEADER_BYTES - question.bytes.length - option.length;
  const encoder = new RecordEncoder(question);
  /** As many as fit. */
  const fitting = (records: Answered['answers'] = []): Buffer[] => {
    const taken: Buffer[] = [];
    for (const record of records) {
      const bytes = encoder.encode(record);
      if (bytes.length > room) break;
      room -= bytes.length;
      taken.push(bytes);
    }
    return taken;
  };
  const answers = fitting(answered.answers);
  const authorities = fitting(answered.authorities);
  const truncated =
    answers.length < answered.answers.length || authorities.length < (answered.authorities?.length ?? 0);
  const additionals = truncated ? [] : fitting(answered.additionals);
  const flags =
    FLAG.answer |
    FLAG.available |
    (answered.authoritative ? FLAG.authoritative : 0) |
    (truncated ? FLAG.truncated : 0) |
    (answered.rcode & 0xf);
  const counts = {
    questions: 1,
    answers: answers.length,
    authorities: authorities.length,
    additionals: additionals.length + (option.length > 0 ? 1 : 0),
  };
  return Buffer.concat([
    header(query, flags, counts),
    question.bytes,
    ...answers,
    ...authorities,
    ...additionals,
    option,
  ]);
}

/** What another server has answered, for this client: its id, its letters, its size. `message` stays as it is. */
export function passOn(query: Query, message: Buffer, way: Way): Buffer {
  const { question } = query;
  const places = walkMessage(message);
  // Names in it point into its question: only one of the same length can take its place.
  if (question === undefined || places?.questionEnd !== HEADER_BYTES + question.bytes.length) {
    return emptyReply(query, RCODE.SERVFAIL);
  }
  const flags =
    FLAG.answer |
    FLAG.available |
    (query.recursionDesired ? FLAG.desired : 0) |
    (message.readUInt16BE(2) & PASSED_ON);
  if (message.length > limitBytes(query, way)) {
    const cut = emptyReply(query, flags & 0xf);
    cut.writeUInt16BE(cut.readUInt16BE(2) | FLAG.truncated, 2);
    return cut;
  }
  const reply = Buffer.from(message);
  reply.writeUInt16BE(query.id, 0);
  reply.writeUInt16BE(flags, 2);
  question.bytes.copy(reply, HEADER_BYTES);
  return reply;
}

function header(
  query: Query,
  flags: number,
  counts: { questions?: number; answers?: number; authorities?: number; additionals?: number },
): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  const repeated =
    (query.opcode << 11) |
    (query.recursionDesired ? FLAG.desired : 0) |
    (query.checkingDisabled ? 0x0010 : 0);
  bytes.writeUInt16BE(query.id, 0);
  bytes.writeUInt16BE(flags | repeated, 2);
  bytes.writeUInt16BE(counts.questions ?? 0, 4);
  bytes.writeUInt16BE(counts.answers ?? 0, 6);
  bytes.writeUInt16BE(counts.authorities ?? 0, 8);
  bytes.writeUInt16BE(counts.additionals ?? 0, 10);
  return bytes;
}

/** Ours, where the client has one: RFC 6891 §6.1.3. Empty otherwise. */
function optionRecord(edns: Edns | undefined, rcode: Rcode): Buffer {
  if (edns === undefined) return Buffer.alloc(0);
  const bytes = Buffer.alloc(11);
  bytes.writeUInt16BE(TYPE.OPT, 1);
  bytes.writeUInt16BE(OUR_UDP_BYTES, 3);
  bytes.writeUInt8(rcode >> 4, 5);
  bytes.writeUInt16BE(edns.dnssecOk ? 0x8000 : 0, 7);
  return bytes;
}
