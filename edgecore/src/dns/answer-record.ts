import { encode, type SoaData, type SrvData, type TxtData } from 'dns-packet';
import type { Question } from './query.ts';
import { HEADER_BYTES } from './record-walk.ts';

/** What a record has, by its type. */
interface Data {
  readonly A: string;
  readonly AAAA: string;
  readonly CNAME: string;
  readonly NS: string;
  readonly PTR: string;
  readonly SOA: SoaData;
  readonly SRV: SrvData;
  readonly TXT: TxtData;
}

/** A record that is answered with, of the class IN. Names have no dot at their end. */
export type AnswerRecord = {
  readonly [T in keyof Data]: {
    readonly type: T;
    readonly name: string;
    /** Seconds. */
    readonly ttl: number;
    readonly data: Data[T];
  };
}[keyof Data];

/** What a record of a type has. */
export type RecordData<T extends AnswerRecord['type']> = Data[T];

/** How an answer is about its question. */
export interface Answered {
  readonly rcode: number;
  /** Of this zone. */
  readonly authoritative: boolean;
  readonly answers: readonly AnswerRecord[];
  readonly authorities?: readonly AnswerRecord[];
  /** Left out where there is no room. */
  readonly additionals?: readonly AnswerRecord[];
}

/** A name in the question of the same message is only pointed at. Source: RFC 1035 §4.1.4. */
const POINTER = 0xc000;

/** A record as bytes of a message that begins with a question: the tail that its name shares with it is not repeated. */
export function encodeRecord(record: AnswerRecord, question: Question): Buffer {
  // The rest of a record as the library makes it, whose owner is the root: one byte behind a header.
  const rest = encode({ answers: [{ ...record, name: '.' }] }).subarray(HEADER_BYTES + 1);
  return Buffer.concat([encodeOwner(record.name, question), rest]);
}

function encodeOwner(name: string, question: Question): Buffer {
  const own = name.toLowerCase().split('.');
  const asked = question.labels;
  let shared = 0;
  while (shared < own.length && shared < asked.length && own.at(-1 - shared) === asked.at(-1 - shared)) {
    shared += 1;
  }
  const parts = own.slice(0, own.length - shared).flatMap((label) => {
    const text = Buffer.from(label, 'latin1');
    return [Buffer.of(text.length), text];
  });
  if (shared === 0) return Buffer.concat([...parts, Buffer.of(0)]);
  const before = asked.slice(0, asked.length - shared).reduce((bytes, label) => bytes + 1 + label.length, 0);
  const pointer = POINTER | (HEADER_BYTES + before);
  return Buffer.concat([...parts, Buffer.of(pointer >> 8, pointer & 0xff)]);
}
