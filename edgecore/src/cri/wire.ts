import protobuf from 'protobufjs/minimal.js';

// 64-bit fields are plain numbers: nanoseconds lose what is below a quarter of a microsecond, and all else of CRI
// stays below 2^53. This is the documented way to switch Long off; it has to run before anything is read.
protobuf.util.Long = null as unknown as typeof protobuf.util.Long;
protobuf.configure();

/** Types of single values, as a .proto file has them; `enum` and messages have functions of their own. */
export type ScalarType = 'string' | 'bytes' | 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'enum';

/** One field of a message. `In` is what is encoded, `Out` what is decoded; both are for the compiler only. */
export interface Field<In, Out> {
  readonly number: number;
  /** `message` is a message of {@link message}, `map` one from text to text. */
  readonly type: ScalarType | 'message' | 'map';
  readonly repeated: boolean;
  readonly message: AnyMessage | undefined;
  /** Of an enum: its names. */
  readonly names?: Readonly<Record<string, number>>;
  readonly types?: readonly [In, Out];
}

/** The fields of a message by name. */
export type Fields = Readonly<Record<string, Field<unknown, unknown>>>;

type AnyMessage = Pick<Message<Fields>, 'name' | 'fields' | 'decodeFrom'> & {
  readonly encodeTo: (value: never, writer: protobuf.Writer) => void;
};

/** What is given to be encoded: absent fields have their default. */
export type Encodable<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Field<infer In, unknown> ? In | undefined : never;
};

/** What was decoded: every field is there; absent messages are undefined, all else has its default. */
export type Decoded<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<unknown, infer Out> ? Out : never;
};

type ValueOf<T extends ScalarType> = T extends 'string'
  ? string
  : T extends 'bytes'
    ? Uint8Array
    : T extends 'bool'
      ? boolean
      : number;

type Scalar<T extends ScalarType> = Field<ValueOf<T>, ValueOf<T>>;

const single =
  <T extends ScalarType>(type: T) =>
  (number: number): Scalar<T> => ({ number, type, repeated: false, message: undefined });

/** Fields with a single value of that type, by number. */
export const string = single('string');
export const bytes = single('bytes');
export const bool = single('bool');
export const int32 = single('int32');
export const uint32 = single('uint32');
export const int64 = single('int64');
export const uint64 = single('uint64');

/** A field with one of an enum's numbers; numbers of newer releases come through. */
export function oneOf<E extends number>(
  number: number,
  names: Readonly<Record<string, E>>,
): Field<E, number> {
  return { number, type: 'enum', repeated: false, message: undefined, names };
}

/** A repeated field of single values. Numbers are packed; what is read may be either. */
export function list<T extends ScalarType>(
  number: number,
  type: T,
): Field<readonly ValueOf<T>[], readonly ValueOf<T>[]> {
  return { number, type, repeated: true, message: undefined };
}

/** A map from text to text. */
export function map(
  number: number,
): Field<Readonly<Record<string, string>>, Readonly<Record<string, string>>> {
  return { number, type: 'map', repeated: false, message: undefined };
}

/** A message inside of a message. */
export function one<F extends Fields>(
  number: number,
  message: Message<F>,
): Field<Encodable<F>, Decoded<F> | undefined> {
  return { number, type: 'message', repeated: false, message };
}

/** Any number of messages inside of a message. */
export function many<F extends Fields>(
  number: number,
  message: Message<F>,
): Field<readonly Encodable<F>[], readonly Decoded<F>[]> {
  return { number, type: 'message', repeated: true, message };
}

const LENGTH_DELIMITED = 2;
const VARINT = 0;

/**
 * Defines a protobuf message, with what is needed to write and to read it.
 *
 * A table that is gone through, over protobufjs' own reader and writer, in place of code made from a .proto file (ADR
 * 22). A test holds the tables against the descriptors in the installed containerd.
 */
export function message<F extends Fields>(name: string, fields: F): Message<F> {
  return new Message(name, fields);
}

/** See {@link message}. */
export class Message<F extends Fields> {
  readonly name: string;
  readonly fields: F;
  readonly #byNumber: (readonly [string, Field<unknown, unknown>] | undefined)[] = [];

  constructor(name: string, fields: F) {
    this.name = name;
    this.fields = fields;
    for (const [key, field] of Object.entries(fields)) this.#byNumber[field.number] = [key, field];
  }

  encode(value: Encodable<F>): Uint8Array {
    const writer = protobuf.Writer.create();
    this.encodeTo(value, writer);
    return writer.finish();
  }

  /** @throws Error where `data` is no such message */
  decode(data: Uint8Array): Decoded<F> {
    const reader = protobuf.Reader.create(data);
    return this.decodeFrom(reader, reader.len);
  }

  encodeTo(value: Encodable<F>, writer: protobuf.Writer): void {
    for (const [key, field] of Object.entries(this.fields)) {
      const part: unknown = value[key];
      if (part !== undefined) writeField(writer, field, part);
    }
  }

  decodeFrom(reader: protobuf.Reader, end: number): Decoded<F> {
    const value: Record<string, unknown> = {};
    for (const key in this.fields) value[key] = defaultOf(this.fields[key]);
    while (reader.pos < end) {
      const tag = reader.uint32();
      const wireType = tag & 7;
      const entry = this.#byNumber[tag >>> 3];
      if (entry === undefined || !readField(reader, value, entry[0], entry[1], wireType)) {
        reader.skipType(wireType);
      }
    }
    if (reader.pos !== end) throw new RangeError(`${this.name}: a field is longer than its message`);
    return value as Decoded<F>;
  }
}

/** Most lists and maps stay empty: those are one and the same until something is read. */
function defaultOf(field: Field<unknown, unknown> | undefined): unknown {
  if (field === undefined || field.repeated) return EMPTY_LIST;
  switch (field.type) {
    case 'message':
      return undefined;
    case 'map':
      return EMPTY_MAP;
    case 'string':
      return '';
    case 'bytes':
      return EMPTY_BYTES;
    case 'bool':
      return false;
    default:
      return 0;
  }
}

const EMPTY_LIST: readonly never[] = Object.freeze([]);
const EMPTY_MAP: Readonly<Record<string, string>> = Object.freeze({});
const EMPTY_BYTES = new Uint8Array(0);

function writeField(writer: protobuf.Writer, field: Field<unknown, unknown>, value: unknown): void {
  const { number, type, message: inner } = field;
  const delimited = (number << 3) | LENGTH_DELIMITED;
  if (type === 'map') {
    for (const [key, text] of Object.entries(value as Record<string, string>)) {
      writer.uint32(delimited).fork().uint32(10).string(key).uint32(18).string(text).ldelim();
    }
  } else if (inner !== undefined) {
    for (const item of field.repeated ? (value as readonly unknown[]) : [value]) {
      inner.encodeTo(item as never, writer.uint32(delimited).fork());
      writer.ldelim();
    }
  } else if (!field.repeated) {
    if (value === '' || value === 0 || value === false) return; // proto3: the default is not sent
    writer.uint32(type === 'string' || type === 'bytes' ? delimited : (number << 3) | VARINT);
    writeScalar(writer, type, value);
  } else if (type === 'string' || type === 'bytes') {
    for (const item of value as readonly unknown[]) writeScalar(writer.uint32(delimited), type, item);
  } else {
    const items = value as readonly unknown[];
    if (items.length === 0) return;
    writer.uint32(delimited).fork();
    for (const item of items) writeScalar(writer, type, item);
    writer.ldelim();
  }
}

function writeScalar(writer: protobuf.Writer, type: Field<unknown, unknown>['type'], value: unknown): void {
  if (type === 'string') writer.string(value as string);
  else if (type === 'bytes') writer.bytes(value as Uint8Array);
  else if (type === 'bool') writer.bool(value as boolean);
  else if (type === 'uint32') writer.uint32(value as number);
  else if (type === 'int64') writer.int64(value as number);
  else if (type === 'uint64') writer.uint64(value as number);
  else writer.int32(value as number);
}

/** @returns false where the field has another wire type than it should: it is left out, as an unknown one */
function readField(
  reader: protobuf.Reader,
  into: Record<string, unknown>,
  key: string,
  field: Field<unknown, unknown>,
  wireType: number,
): boolean {
  const { type, message: inner } = field;
  const lengthy = type === 'string' || type === 'bytes' || type === 'map' || type === 'message';
  const packed = !lengthy && field.repeated && wireType === LENGTH_DELIMITED;
  if (!packed && wireType !== (lengthy ? LENGTH_DELIMITED : VARINT)) return false;
  if (type === 'map') {
    if (into[key] === EMPTY_MAP) into[key] = {};
    readEntry(reader, into[key] as Record<string, string>);
    return true;
  }
  if (field.repeated && into[key] === EMPTY_LIST) into[key] = [];
  if (packed) {
    const end = endOf(reader);
    while (reader.pos < end) (into[key] as unknown[]).push(readScalar(reader, type));
    return true;
  }
  const value = inner === undefined ? readScalar(reader, type) : inner.decodeFrom(reader, endOf(reader));
  if (field.repeated) (into[key] as unknown[]).push(value);
  else into[key] = value;
  return true;
}

function endOf(reader: protobuf.Reader): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError(`index out of range: ${reader.pos} + ${length} > ${reader.len}`);
  return end;
}

function readEntry(reader: protobuf.Reader, into: Record<string, string>): void {
  const end = endOf(reader);
  let key = '';
  let value = '';
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 10) key = reader.string();
    else if (tag === 18) value = reader.string();
    else reader.skipType(tag & 7);
  }
  // Not by assignment: "__proto__" is a key as any other.
  Object.defineProperty(into, key, { value, writable: true, enumerable: true, configurable: true });
}

function readScalar(reader: protobuf.Reader, type: Field<unknown, unknown>['type']): unknown {
  switch (type) {
    case 'string':
      return reader.string();
    case 'bytes':
      return reader.bytes();
    case 'bool':
      return reader.bool();
    case 'uint32':
      return reader.uint32();
    case 'int64':
      return reader.int64();
    case 'uint64':
      return reader.uint64();
    default:
      return reader.int32();
  }
}
