import { encode, type SoaData, type SrvData, type TxtData } from 'dns-packet';
import type { Question } from './query.ts';
import { CLASS_IN, TYPE } from './record-types.ts';
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

/** The character code of `0`. */
const ZERO = 48;
/** A name in the question of the same message is only pointed at. Source: RFC 1035 §4.1.4. */
const POINTER = 0xc000;

/**
 * Makes bytes of the records of one message, which begins with a question: the tail that a name shares with it is not
 * repeated.
 */
export class RecordEncoder {
  readonly #question: Question;
  /** Names of records are mostly the same few. */
  readonly #owners = new Map<string, Buffer>();

  constructor(question: Question) {
    this.#question = question;
  }

  encode(record: AnswerRecord): Buffer {
    let owner = this.#owners.get(record.name);
    if (owner === undefined) {
      owner = encodeOwner(record.name, this.#question);
      this.#owners.set(record.name, owner);
    }
    return Buffer.concat([owner, record.type === 'A' ? encodeA(record) : encodeRest(record)]);
  }
}

/** All but the owner, as the library makes it: behind a header, and a root that is one byte. */
function encodeRest(record: AnswerRecord): Buffer {
  return encode({ answers: [{ ...record, name: '.' }] }).subarray(HEADER_BYTES + 1);
}

/** As {@link encodeRest}: a headless Service may have thousands. */
function encodeA({ ttl, data }: Extract<AnswerRecord, { readonly type: 'A' }>): Buffer {
  const rest = Buffer.allocUnsafe(14);
  rest.writeUInt16BE(TYPE.A, 0);
  rest.writeUInt16BE(CLASS_IN, 2);
  rest.writeUInt32BE(ttl, 4);
  rest.writeUInt16BE(4, 8);
  let octet = 0;
  let at = 10;
  for (let index = 0; index <= data.length; index += 1) {
    const digit = data.charCodeAt(index) - ZERO;
    if (digit >= 0) {
      octet = octet * 10 + digit;
    } else {
      rest[at] = octet; // at a dot, and (not a number) at the end
      at += 1;
      octet = 0;
    }
  }
  return rest;
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
