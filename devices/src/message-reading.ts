import { DeviceError } from './errors.ts';
import { MESSAGE_BYTES_MAX } from './limits.ts';
import { described, fieldsOf, type Fields } from './problem-list.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** A message as bytes of JSON, or as its text. */
export type MessageBytes = Uint8Array | string;

/** What cannot be read. @param path JSON pointer into the message; `''`: the whole of it */
export function unreadable(path: string, message: string, cause?: unknown): DeviceError {
  return new DeviceError('ERR_DEVICES_MESSAGE', path === '' ? message : `${path} ${message}`, { cause });
}

/**
 * The JSON object that a message is. Members that nobody reads are passed over.
 * @throws DeviceError `ERR_DEVICES_MESSAGE`
 */
export function readMessage(bytes: MessageBytes, limitBytes = MESSAGE_BYTES_MAX): Fields {
  const length = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
  if (length > limitBytes) throw unreadable('', `is ${String(length)} bytes, most ${String(limitBytes)}`);
  let value: unknown;
  try {
    value = JSON.parse(typeof bytes === 'string' ? bytes : utf8.decode(bytes));
  } catch (error) {
    throw unreadable('', 'is no JSON', error);
  }
  return needObject(value, '');
}

/** null counts as not given. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export function needObject(value: unknown, path: string): Fields {
  const fields = fieldsOf(value);
  if (fields === undefined) throw unreadable(path, `must be an object, is ${describedBriefly(value)}`);
  return fields;
}

/** The members of an object, at most so many. Names that break programs in JavaScript are refused. */
export function needEntries(
  value: unknown,
  path: string,
  most: number,
): readonly (readonly [string, unknown])[] {
  const entries = Object.entries(needObject(value, path));
  if (entries.length > most) {
    throw unreadable(path, `must have at most ${String(most)} entries, has ${String(entries.length)}`);
  }
  if (entries.some(([name]) => name === '__proto__')) throw unreadable(path, 'has an entry "__proto__"');
  return entries;
}

export function needList(value: unknown, path: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw unreadable(path, `must be a list, is ${describedBriefly(value)}`);
  if (value.length > most) {
    throw unreadable(path, `must have at most ${String(most)} entries, has ${String(value.length)}`);
  }
  return value as unknown[];
}

export function needText(value: unknown, path: string, most: number): string {
  if (typeof value !== 'string') throw unreadable(path, `must be text, is ${describedBriefly(value)}`);
  if (value.length > most) {
    throw unreadable(path, `must have at most ${String(most)} characters, has ${String(value.length)}`);
  }
  return value;
}

export function needBoolean(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean')
    throw unreadable(path, `must be true or false, is ${describedBriefly(value)}`);
  return value;
}

/** A count: a whole number that is not negative. */
export function needCount(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw unreadable(path, `must be a whole number from 0, is ${describedBriefly(value)}`);
  }
  return value;
}

/**
 * A value of a property as text: programs say numbers and booleans too. A number whose digits JSON's readers lose is
 * refused: it has to be said as text.
 */
export function needValue(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number') {
    throw unreadable(path, `must be text, a number, true or false, is ${describedBriefly(value)}`);
  }
  if (!Number.isFinite(value)) throw unreadable(path, 'must be a number that 64 bits hold');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw unreadable(path, 'must be in quotes: as a number it loses digits beyond 2^53');
  }
  return String(value === 0 ? 0 : value);
}

/**
 * A time, milliseconds since 1970: a number, its digits as text, or RFC 3339, all of which programs of KubeEdge say.
 * undefined: not given, or 0.
 */
export function readTime(value: unknown, path: string): number | undefined {
  if (!isGiven(value) || value === 0 || value === '' || value === '0') return undefined;
  const ms = typeof value === 'string' ? parseTime(value) : value;
  if (typeof ms !== 'number' || !(ms > 0 && ms <= 8.64e15)) {
    throw unreadable(path, `must be a time in milliseconds since 1970, is ${describedBriefly(value)}`);
  }
  return Math.trunc(ms);
}

function parseTime(text: string): number {
  if (text.length > 40) return NaN;
  return /^\d+$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\d[Tt]/.test(text) ? Date.parse(text) : NaN;
}

function describedBriefly(value: unknown): string {
  return value === undefined ? 'not given' : described(value);
}
