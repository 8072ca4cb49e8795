import { badRequest } from '../status/status-errors.ts';
import type { StatusError } from '../status/status.ts';

/** What Go's JSON decoder calls the type of a parsed value. */
export function goTypeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** 400 for a merge patch that is no object. */
export function notAMap(value: unknown): StatusError {
  const type = goTypeName(value);
  return badRequest(
    `error decoding patch: json: cannot unmarshal ${type} into Go value of type map[string]interface {}`,
  );
}
