import { Quantity } from '../../quantity/quantity.ts';

/** A value that Go could not decode into a struct; the message is Go's. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);
const BASE64 = /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** The kind of a JSON value as Go's decoder names it. */
export function jsonTypeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value; // 'string', 'number', 'object'
}

/** The zero value of a scalar, as Go writes it. */
export function zeroScalar(type: string): unknown {
  switch (type) {
    case 's':
      return '';
    case 'i':
    case 'l':
    case 'd':
    case 'x':
      return 0;
    case 'b':
      return false;
    case 'q':
      return '0';
    default:
      return null;
  }
}

/**
 * Decodes a scalar and gives it its canonical form. `wrong` makes the error for a JSON type that does not fit.
 * @throws DecodeError
 */
export function decodeScalar(
  type: string,
  value: unknown,
  wrong: (typeName: string) => DecodeError,
): unknown {
  switch (type) {
    case 's':
      if (typeof value !== 'string') throw wrong('string');
      return value;
    case 'b':
      if (typeof value !== 'boolean') throw wrong('bool');
      return value;
    case 'i':
      return integer(value, 'int32', INT32_MIN, INT32_MAX, wrong);
    case 'l':
      return integer(value, 'int64', -(2 ** 63), 2 ** 63, wrong);
    case 'd':
      if (typeof value !== 'number') throw wrong('float64');
      return value;
    case 'x':
      if (typeof value === 'string') return value;
      return integer(value, 'int32', INT32_MIN, INT32_MAX, wrong);
    case 'y':
      if (typeof value !== 'string') throw wrong('[]uint8');
      return base64(value);
    case 'q':
      return quantity(value);
    case 't':
      return time(value, 0);
    case 'u':
      return time(value, 6);
    default:
      return value;
  }
}

function integer(
  value: unknown,
  typeName: string,
  min: number,
  max: number,
  wrong: (typeName: string) => DecodeError,
): number {
  if (typeof value !== 'number') throw wrong(typeName);
  if (!Number.isInteger(value) || value < min || value > max) {
    const error = wrong(typeName);
    throw new DecodeError(error.message.replace('unmarshal number', `unmarshal number ${value}`));
  }
  return value;
}

function base64(text: string): string {
  if (BASE64.test(text) && text.replace(/[\r\n]/g, '').length % 4 === 0) {
    return /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text;
  }
  const bad = text.search(/[^A-Za-z0-9+/\r\n]/);
  throw new DecodeError(`illegal base64 data at input byte ${bad === -1 ? text.length : bad}`);
}

function quantity(value: unknown): string {
  try {
    return Quantity.parse(quantityText(value)).toString();
  } catch (error) {
    // Whatever is wrong with it, Go's decoder answers with this one sentence.
    throw new DecodeError(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
      { cause: error },
    );
  }
}

function quantityText(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' ? String(value) : 'no quantity';
}

/** `digits`: fraction digits that the type keeps. Source: apimachinery meta/v1 Time and MicroTime. */
function time(value: unknown, digits: number): string {
  const layout = digits === 0 ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
  if (typeof value !== 'string') throw new DecodeError(`Time.UnmarshalJSON: input is not a JSON string`);
  const ms = RFC3339.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(ms)) {
    throw new DecodeError(
      `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse "${value}" as "2006"`,
    );
  }
  const seconds = new Date(ms).toISOString().slice(0, 19);
  if (digits === 0) return `${seconds}Z`;
  const fraction = (/\.(\d+)/.exec(value)?.[1] ?? '').slice(0, digits).padEnd(digits, '0');
  return `${seconds}.${fraction}Z`;
}
