import protobuf from 'protobufjs/minimal.js';
import type { Encodable } from '../cri/wire.ts';
import type { Any } from './dmi-messages.ts';

/** A `google.protobuf.Any`, to be encoded. */
export type AnyValue = Encodable<typeof Any.fields>;

const TYPES = 'type.googleapis.com/google.protobuf.';
const INT64_LIMIT = 2 ** 63;

/**
 * A value of `configData` as KubeEdge's edge gives it to mappers: text as `StringValue`, `BoolValue`, numbers as `FloatValue`.
 * KubeEdge makes a float of 32 bits of whatever is a number; whole numbers that would be others then are `Int64Value`
 * here, which its mapper framework reads as well. What KubeEdge refuses, with the whole device, is said as the well-known
 * types have it: objects as `Struct`, lists as `ListValue`; its framework passes over these keys.
 * Source: KubeEdge, `dtcommon.dataToAny` and the framework's `DecodeAnyValue`.
 * @param value JSON
 * @returns undefined for null, of which nothing is said
 */
export function anyOf(value: unknown): AnyValue | undefined {
  switch (typeof value) {
    case 'string':
      return made('StringValue', (writer) => {
        if (value !== '') writer.uint32(LENGTH).string(value);
      });
    case 'boolean':
      return made('BoolValue', (writer) => {
        if (value) writer.uint32(VARINT).bool(true);
      });
    case 'number':
      return numberOf(value);
    default:
      if (value === null || typeof value !== 'object') return undefined;
      if (Array.isArray(value)) return made('ListValue', (writer) => writeList(writer, value));
      return made('Struct', (writer) => writeStruct(writer, value));
  }
}

/** `configData` as `CustomizedValue` has it. */
export function dataOf(config: Readonly<Record<string, unknown>>): {
  readonly data: readonly { readonly key: string; readonly value: AnyValue }[];
} {
  const data = Object.entries(config).flatMap(([key, item]) => {
    const value = anyOf(item);
    return value === undefined ? [] : [{ key, value }];
  });
  return { data };
}

// Tags of the first field, by wire type.
const VARINT = 8;
const FIXED32 = 13;
const LENGTH = 10;

function numberOf(value: number): AnyValue {
  if (Number.isInteger(value) && Math.fround(value) !== value && Math.abs(value) < INT64_LIMIT) {
    return made('Int64Value', (writer) => writer.uint32(VARINT).int64(value));
  }
  return made('FloatValue', (writer) => {
    if (value !== 0) writer.uint32(FIXED32).float(value);
  });
}

function made(type: string, write: (writer: protobuf.Writer) => void): AnyValue {
  const writer = protobuf.Writer.create();
  write(writer);
  return { typeUrl: `${TYPES}${type}`, value: writer.finish() };
}

/** `google.protobuf.Struct`: a map to values. */
function writeStruct(writer: protobuf.Writer, value: object): void {
  for (const [key, item] of Object.entries(value)) {
    writer.uint32(LENGTH).fork().uint32(LENGTH).string(key).uint32(18).fork();
    writeValue(writer, item);
    writer.ldelim().ldelim();
  }
}

/** `google.protobuf.ListValue`. */
function writeList(writer: protobuf.Writer, values: readonly unknown[]): void {
  for (const item of values) {
    writeValue(writer.uint32(LENGTH).fork(), item);
    writer.ldelim();
  }
}

/** `google.protobuf.Value`, which is one of null 1, number 2, text 3, bool 4, struct 5, list 6. Nesting is bounded where objects are checked. */
function writeValue(writer: protobuf.Writer, value: unknown): void {
  if (typeof value === 'number') writer.uint32(17).double(value);
  else if (typeof value === 'string') writer.uint32(26).string(value);
  else if (typeof value === 'boolean') writer.uint32(32).bool(value);
  else if (Array.isArray(value)) {
    writeList(writer.uint32(50).fork(), value);
    writer.ldelim();
  } else if (typeof value === 'object' && value !== null) {
    writeStruct(writer.uint32(42).fork(), value);
    writer.ldelim();
  } else writer.uint32(8).int32(0);
}
