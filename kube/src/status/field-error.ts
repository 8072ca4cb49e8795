import { goJson, goQuote } from './go-format.ts';
import type { StatusCause } from './status.ts';

/** `causes[].reason` of a field error. Source: k8s.io/apimachinery util/validation/field ErrorType. */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooShort'
  | 'FieldValueTooMany'
  | 'FieldValueTooFew'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/** Stands for a bad value that a message leaves out. */
export const OMITTED: unique symbol = Symbol('omitted value');

/** The path that Go prints for an error that is about no field. */
export const NO_FIELD = '<nil>';

/** One thing wrong with one field. */
export interface FieldError {
  readonly type: FieldErrorType;
  /** E.g. `spec.containers[0].name`; build it with {@link fieldChild}, {@link fieldIndex}, {@link fieldKey}. */
  readonly field: string;
  /** What stands after the field's name in a message, e.g. `Invalid value: "x": must be …`. */
  readonly body: string;
}

const TITLES: Readonly<Record<FieldErrorType, string>> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooShort: 'Too short',
  FieldValueTooMany: 'Too many',
  FieldValueTooFew: 'Too few',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

function make(type: FieldErrorType, path: string, value: unknown, detail: string): FieldError {
  const parts = [TITLES[type]];
  if (value !== OMITTED) parts.push(formatValue(value));
  if (detail !== '') parts.push(detail);
  return { type, field: path, body: parts.join(': ') };
}

/** A bad value as messages show it: strings quoted, numbers and booleans plain, the rest as JSON. */
function formatValue(value: unknown): string {
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  return goJson(value);
}

function count(limit: number, unit: string): string {
  return `${limit} ${unit}${limit === 1 ? '' : 's'}`;
}

/** Makers of field errors, worded as the API words them. Source: k8s.io/apimachinery util/validation/field. */
export const field = {
  /** A value is missing or empty. */
  required: (path: string, detail = ''): FieldError => make('FieldValueRequired', path, OMITTED, detail),
  /** A malformed value. `value`: {@link OMITTED} leaves it out of the message. */
  invalid: (path: string, value: unknown, detail: string): FieldError =>
    make('FieldValueInvalid', path, value, detail),
  /** A value of a type that the schema does not allow. */
  typeInvalid: (path: string, value: unknown, detail: string): FieldError =>
    make('FieldValueTypeInvalid', path, value, detail),
  /** A value outside of an enumeration; `supported` is shown in the order given. */
  notSupported: (path: string, value: unknown, supported: readonly string[]): FieldError =>
    make(
      'FieldValueNotSupported',
      path,
      value,
      supported.length === 0 ? '' : `supported values: ${supported.map(goQuote).join(', ')}`,
    ),
  /** A well-formed value that the present conditions do not permit. */
  forbidden: (path: string, detail: string): FieldError => make('FieldValueForbidden', path, OMITTED, detail),
  /** A value that must be unique and is not. */
  duplicate: (path: string, value: unknown): FieldError => make('FieldValueDuplicate', path, value, ''),
  /** A reference to nothing. */
  notFound: (path: string, value: unknown): FieldError => make('FieldValueNotFound', path, value, ''),
  /** A string of more than `limitBytes` bytes. */
  tooLong: (path: string, limitBytes: number): FieldError =>
    make('FieldValueTooLong', path, OMITTED, `may not be more than ${count(limitBytes, 'byte')}`),
  /** A string of fewer than `limit` characters. */
  tooShort: (path: string, limit: number): FieldError =>
    make('FieldValueTooShort', path, OMITTED, `must be at least ${count(limit, 'character')}`),
  /** A list of more than `limit` items. */
  tooMany: (path: string, actual: number, limit: number): FieldError =>
    make('FieldValueTooMany', path, actual, `must have at most ${count(limit, 'item')}`),
  /** A failure of our own while checking the field. */
  internal: (path: string, message: string): FieldError => make('InternalError', path, OMITTED, message),
} as const;

/** `path.name`. */
export function fieldChild(path: string, ...names: readonly string[]): string {
  return [path, ...names].filter((part) => part !== '').join('.');
}

/** `path[index]`. */
export function fieldIndex(path: string, index: number): string {
  return `${path}[${index}]`;
}

/** `path[key]`: an entry of a map. */
export function fieldKey(path: string, key: string): string {
  return `${path}[${key}]`;
}

/** The whole message of one error: `spec.size: Required value`. */
export function fieldErrorMessage(error: FieldError): string {
  return `${error.field}: ${error.body}`;
}

/**
 * The message of several errors: one stands alone, more stand in brackets, each text once.
 * Source: field.ErrorList.ToAggregate.
 */
export function fieldErrorsMessage(errors: readonly FieldError[]): string {
  const messages = [...new Set(errors.map(fieldErrorMessage))];
  return messages.length === 1 ? (messages[0] ?? '') : `[${messages.join(', ')}]`;
}

/** The errors as `details.causes`: here nothing is merged. */
export function fieldErrorCauses(errors: readonly FieldError[]): StatusCause[] {
  return errors.map(({ type, field: path, body }) => ({ reason: type, message: body, field: path }));
}
