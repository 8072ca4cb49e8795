import { DeviceError } from './errors.ts';
import { VALUE_BYTES_MAX } from './limits.ts';
import type { PropertyType } from './objects.ts';

/** A value as its type means it: INT beyond ±2⁵³ as bigint, BYTES as bytes. */
export type TypedValue = number | bigint | boolean | string | Uint8Array;

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 64n - 1n;
const INTEGER = /^[+-]?\d{1,40}$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const WHOLE_NUMBER = /^-?\d+$/;
const NOT_ZERO = /^[^eE]*[1-9]/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  '1': true,
  '0': false,
  on: true,
  off: false,
};
/** Longer values are cut where a message names them. */
const SHOWN_MAX = 60;

/** A value for a message: as JSON, cut where it is long. */
export function shown(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  const text = (JSON.stringify(value) as string | undefined) ?? String(value);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}

/** Whether values of the type are numbers. */
export function isNumeric(type: PropertyType): boolean {
  return type === 'INT' || type === 'FLOAT' || type === 'DOUBLE';
}

/**
 * What a text means as a value of a type.
 * - INT: decimal digits with or without a sign, −2⁶³ … 2⁶⁴−1; a bigint beyond ±2⁵³
 * - FLOAT, DOUBLE: a number of JSON. One that would become infinite, or zero, or another whole number, is refused
 * - BOOLEAN: `true`, `false`, `1`, `0`, `on`, `off`, in any case
 * - BYTES: base64 with padding (RFC 4648, section 4)
 * - STRING, STREAM: as it is
 * @throws DeviceError `ERR_DEVICES_VALUE`
 */
export function parseValue(type: PropertyType, text: string): TypedValue {
  // A character is at most three bytes: most texts need no counting.
  if (text.length * 3 > VALUE_BYTES_MAX) {
    const bytes = Buffer.byteLength(text);
    if (bytes > VALUE_BYTES_MAX)
      throw refused(`must be at most ${String(VALUE_BYTES_MAX)} bytes, is ${String(bytes)}`);
  }
  switch (type) {
    case 'INT':
      return parseInteger(text);
    case 'FLOAT':
    case 'DOUBLE':
      return parseNumber(type, text);
    case 'BOOLEAN': {
      const lower = text.toLowerCase();
      const value = Object.hasOwn(BOOLEANS, lower) ? BOOLEANS[lower] : undefined;
      if (value === undefined) throw refused(`must be true or false, is ${shown(text)}`);
      return value;
    }
    case 'BYTES':
      return parseBytes(text);
    case 'STRING':
    case 'STREAM':
      return text;
  }
}

/**
 * The one text of a value: INT without leading zeros, FLOAT and DOUBLE as the shortest number of JSON that reads as the
 * same (a FLOAT that has 32 bits: as the same 32 bits), BOOLEAN `true` or `false`, BYTES base64.
 * @throws DeviceError `ERR_DEVICES_VALUE`: the value is not of the type, or has no text
 */
export function formatValue(type: PropertyType, value: TypedValue): string {
  switch (type) {
    case 'INT':
      return formatInteger(value);
    case 'FLOAT':
    case 'DOUBLE':
      return formatNumber(type, value);
    case 'BOOLEAN':
      if (typeof value === 'boolean') return String(value);
      if (value === 0 || value === 1 || value === 0n || value === 1n) return String(Number(value) === 1);
      throw refused(`must be true or false, is ${shownValue(value)}`);
    case 'BYTES':
      if (!(value instanceof Uint8Array)) throw refused(`must be bytes, is ${shownValue(value)}`);
      return bounded(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'));
    case 'STRING':
    case 'STREAM':
      if (value instanceof Uint8Array) throw refused('must be text, is bytes');
      return bounded(String(value));
  }
}

/** The one text of what a text means: {@link parseValue}, then {@link formatValue}. Errors: theirs. */
export function canonicalValue(type: PropertyType, text: string): string {
  return formatValue(type, parseValue(type, text));
}

function parseInteger(text: string): number | bigint {
  if (!INTEGER.test(text)) throw refused(`must be a whole number, as 42, is ${shown(text)}`);
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return integerInRange(value);
}

function integerInRange(value: bigint): number | bigint {
  if (value < INT_MIN || value > INT_MAX) {
    throw refused(`must be from ${String(INT_MIN)} to ${String(INT_MAX)}, is ${String(value)}`);
  }
  const short = Number(value);
  return Number.isSafeInteger(short) ? short : value;
}

function parseNumber(type: PropertyType, text: string): number {
  if (!NUMBER.test(text)) throw refused(`must be a number, as 21.5 or 1e-3, is ${shown(text)}`);
  const value = Number(text);
  if (!Number.isFinite(value)) throw refused(`is too large for ${type}: ${shown(text)}`);
  if (value === 0 && NOT_ZERO.test(text)) throw refused(`is too small for ${type}: ${shown(text)}`);
  if (!Number.isSafeInteger(value) && WHOLE_NUMBER.test(text) && BigInt(text) !== BigInt(value)) {
    throw refused(
      `has more digits than ${type} can hold: ${shown(text)} would become ${String(BigInt(value))}`,
    );
  }
  return value === 0 ? 0 : value;
}

function parseBytes(text: string): Uint8Array {
  const bytes = BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
  // Bits behind the last byte that are not zero would be lost.
  if (bytes?.toString('base64') !== text) {
    throw refused(`must be base64 with padding, as aGk=, is ${shown(text)}`);
  }
  return new Uint8Array(bytes);
}

function formatInteger(value: TypedValue): string {
  if (typeof value === 'bigint') return String(integerInRange(value));
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw refused(`must be a whole number, is ${shownValue(value)}`);
  }
  if (!Number.isSafeInteger(value)) {
    throw refused(`must be a bigint beyond 2^53, since digits are lost: ${String(value)}`);
  }
  return String(value === 0 ? 0 : value);
}

function formatNumber(type: PropertyType, value: TypedValue): string {
  if (typeof value === 'bigint') {
    const short = Number(value);
    if (BigInt(short) !== value) throw refused(`has more digits than ${type} can hold: ${String(value)}`);
    return String(short);
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw refused(`must be a number, is ${shownValue(value)}`);
  }
  if (value === 0) return '0';
  return type === 'FLOAT' && Math.fround(value) === value ? shortestFloat(value) : String(value);
}

/** A number of 32 bits in as few digits as tell it from its neighbours: 0.1, not 0.10000000149011612. */
function shortestFloat(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

function shownValue(value: TypedValue): string {
  if (value instanceof Uint8Array) return 'bytes';
  return typeof value === 'number' ? String(value) : shown(value);
}

function bounded(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= VALUE_BYTES_MAX) return text;
  throw refused(`must be at most ${String(VALUE_BYTES_MAX)} bytes, is ${String(bytes)}`);
}

function refused(message: string): DeviceError {
  return new DeviceError('ERR_DEVICES_VALUE', message);
}
