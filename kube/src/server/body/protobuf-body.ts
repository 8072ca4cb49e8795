import type { JsonObject } from '../../meta/json.ts';
import { parseJson } from './json-scanner.ts';
import { goFields, type GoField } from '../types/go-fields.ts';
import { wireFields, type WireField } from './wire-reader.ts';

/** What stands before every protobuf body. Source: k8s.io/apimachinery runtime/serializer/protobuf. */
const MAGIC = Buffer.from('k8s\0');
const MAX_DEPTH = 64;

/**
 * Reads a protobuf body, an object of the struct of that name, as its JSON value.
 * Unknown fields are left out, as Go does.
 * @throws RangeError if it is none, SyntaxError for raw JSON inside that is not JSON.
 */
export function readProtobuf(body: Buffer, struct: string): JsonObject {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new RangeError('provided data does not appear to be a protobuf message');
  }
  let typeMeta = {};
  let raw = Buffer.alloc(0);
  for (const { number, bytes } of wireFields(body.subarray(MAGIC.length))) {
    if (number === 1) typeMeta = readTypeMeta(bytes);
    else if (number === 2) raw = Buffer.from(bytes);
  }
  return { ...typeMeta, ...readMessage(raw, struct, 0) };
}

/** Whether the struct of that name can be read from protobuf. */
export function hasProtobuf(struct: string | undefined): struct is string {
  return struct !== undefined && goFields(struct) !== undefined;
}

function readTypeMeta(message: Buffer): JsonObject {
  const names = ['', 'apiVersion', 'kind'];
  const found: [string, string][] = [];
  for (const { number, bytes } of wireFields(message)) {
    const name = names[number];
    if (name !== undefined && name !== '') found.push([name, bytes.toString('utf8')]);
  }
  return Object.fromEntries(found);
}

function readMessage(message: Buffer, struct: string, depth: number): Record<string, unknown> {
  if (depth > MAX_DEPTH) throw new RangeError('the message is nested too deeply');
  const fields = new Map((goFields(struct) ?? []).map((field) => [field.number, field]));
  const object: Record<string, unknown> = {};
  const maps = new Map<string, Map<string, unknown>>();
  for (const wire of wireFields(message)) {
    const field = fields.get(wire.number);
    if (field === undefined) continue;
    if (field.name === '@') Object.assign(object, readMessage(wire.bytes, field.type, depth + 1));
    else if (field.container === 'map') {
      const entries = maps.get(field.name) ?? new Map<string, unknown>();
      maps.set(field.name, entries);
      readEntry(wire.bytes, field, entries, depth);
    } else if (field.container === 'list') {
      const present = object[field.name];
      const items = readItems(wire, field, depth);
      object[field.name] = Array.isArray(present) ? [...(present as unknown[]), ...items] : items;
    } else object[field.name] = readValue(wire, field.type, depth);
  }
  for (const [name, entries] of maps) object[name] = Object.fromEntries(entries);
  return object;
}

/** Numbers may come packed: many in one field. */
function readItems(wire: WireField, field: GoField, depth: number): unknown[] {
  if (field.type !== 'i' || wire.wireType !== 2) return [readValue(wire, field.type, depth)];
  const numbers: unknown[] = [];
  // A packed list is a sequence of varints: read each as if it were a field's value.
  for (let offset = 0; offset < wire.bytes.length;) {
    let end = offset;
    while (((wire.bytes[end] ?? 0) & 0x80) !== 0) end += 1;
    const prefixed = Buffer.concat([Buffer.from([0x08]), wire.bytes.subarray(offset, end + 1)]);
    for (const { varint } of wireFields(prefixed)) numbers.push(Number(BigInt.asIntN(64, varint)));
    offset = end + 1;
  }
  return numbers;
}

function readEntry(message: Buffer, field: GoField, entries: Map<string, unknown>, depth: number): void {
  let key = '';
  let value: unknown;
  for (const wire of wireFields(message)) {
    if (wire.number === 1) key = wire.bytes.toString('utf8');
    else if (wire.number === 2) {
      value = field.type.startsWith('[]')
        ? [...wireFields(wire.bytes)].map((item) => readValue(item, field.type.slice(2), depth + 1))
        : readValue(wire, field.type, depth);
    }
  }
  // An entry without a value carries the type's empty one.
  entries.set(key, value ?? (field.type.startsWith('[]') ? [] : ''));
}

function readValue(wire: WireField, type: string, depth: number): unknown {
  switch (type) {
    case 's':
      return wire.bytes.toString('utf8');
    case 'y':
      return wire.bytes.toString('base64');
    case 'b':
      return wire.varint !== 0n;
    case 'i':
    case 'l':
      return Number(BigInt.asIntN(64, wire.varint));
    case 'd':
      return wire.bytes.readDoubleLE(0);
    case 't':
      return readTime(wire.bytes, false);
    case 'u':
      return readTime(wire.bytes, true);
    case 'q':
      return firstBytes(wire.bytes, 1)?.toString('utf8') ?? '0';
    case 'x':
      return readIntOrString(wire.bytes);
    case 'r':
    case 'f': {
      const json = firstBytes(wire.bytes, 1);
      return json === undefined ? null : parseJson(json.toString('utf8'));
    }
    case 'o':
      return null;
    default:
      return readMessage(wire.bytes, type, depth + 1);
  }
}

function firstBytes(message: Buffer, number: number): Buffer | undefined {
  for (const field of wireFields(message)) if (field.number === number) return field.bytes;
  return undefined;
}

/** Seconds and nanoseconds since 1970; an empty message is no time at all. */
function readTime(message: Buffer, micro: boolean): string | null {
  let seconds = 0n;
  let nanos = 0n;
  let empty = true;
  for (const { number, varint } of wireFields(message)) {
    empty = false;
    if (number === 1) seconds = BigInt.asIntN(64, varint);
    else if (number === 2) nanos = varint;
  }
  if (empty) return null;
  const ms = Number(seconds) * 1000;
  if (Math.abs(ms) > 8.64e15) throw new RangeError('time out of range');
  const whole = new Date(ms).toISOString().slice(0, 19);
  return micro ? `${whole}.${String(nanos / 1000n).padStart(6, '0')}Z` : `${whole}Z`;
}

/** Source: k8s.io/apimachinery util/intstr. */
function readIntOrString(message: Buffer): string | number {
  let isString = false;
  let integer = 0;
  let text = '';
  for (const { number, varint, bytes } of wireFields(message)) {
    if (number === 1) isString = varint === 1n;
    else if (number === 2) integer = Number(BigInt.asIntN(32, varint));
    else if (number === 3) text = bytes.toString('utf8');
  }
  return isString ? text : integer;
}
