import { isPlainObject, type JsonObject } from '@hawser/kube';

const NOTHING: JsonObject = Object.freeze({});

/** The value as an object; an empty one where it is something else. For reading objects that others have written. */
export function record(value: unknown): JsonObject {
  return isPlainObject(value) ? value : NOTHING;
}

/** The objects in a list; whatever else stands there is left out. */
export function records(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isPlainObject) : [];
}

/** The value as a string; `''` where it is something else. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An object's string values; whatever else stands there is left out. */
export function texts(value: unknown): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, item] of Object.entries(record(value))) if (typeof item === 'string') found[name] = item;
  return found;
}
