import { SyncError } from '../errors.ts';

/** Deepest nesting that is written. Objects of the API stay far below; recursion has to end somewhere. */
const MAX_DEPTH = 500;

/**
 * Canonical JSON of a value that came from JSON: keys of objects in the order of their UTF-16 units, no white space,
 * numbers and strings as `JSON.stringify` prints them. Fields that are undefined are left out.
 * Source: RFC 8785 (JSON Canonicalization Scheme), section 3.2, which it equals for all that JSON can hold.
 * @throws SyncError `ERR_SYNC_BAD_CONTENT` for what is no JSON, and beyond 500 levels
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new SyncError('ERR_SYNC_BAD_CONTENT', `${value} is not JSON`);
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      if (depth >= MAX_DEPTH)
        throw new SyncError('ERR_SYNC_BAD_CONTENT', `nested deeper than ${MAX_DEPTH} levels`);
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
    default:
      throw new SyncError('ERR_SYNC_BAD_CONTENT', `a value of type ${typeof value} is not JSON`);
  }
}

function writeArray(values: readonly unknown[], depth: number): string {
  let text = '[';
  for (const [index, value] of values.entries()) text += (index === 0 ? '' : ',') + write(value, depth + 1);
  return text + ']';
}

function writeObject(object: object, depth: number): string {
  const fields = object as Readonly<Record<string, unknown>>;
  let text = '';
  for (const name of Object.keys(fields).sort()) {
    const value = fields[name];
    if (value === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${write(value, depth + 1)}`;
  }
  return `{${text}}`;
}
