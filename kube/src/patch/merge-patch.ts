import { isPlainObject, type JsonObject } from '../meta/json.ts';
import { notAMap } from './patch-errors.ts';

/**
 * Applies a JSON merge patch (RFC 7386): objects are merged, null removes a member, anything else replaces. Parts
 * that the patch does not touch are shared with the target.
 * @throws StatusError BadRequest if the patch is no object.
 */
export function applyMergePatch(target: JsonObject, patch: unknown): JsonObject {
  if (!isPlainObject(patch)) throw notAMap(patch);
  return mergeObjects(target, patch);
}

function mergeObjects(target: JsonObject, patch: JsonObject): JsonObject {
  const members = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      members.delete(key);
    } else if (isPlainObject(value)) {
      const present = members.get(key);
      members.set(key, mergeObjects(isPlainObject(present) ? present : {}, value));
    } else {
      members.set(key, value);
    }
  }
  return Object.fromEntries(members);
}

/**
 * The merge patch that makes `modified` of `original`.
 * Source: RFC 7386; the inverse of {@link applyMergePatch} as long as `modified` has no null members.
 */
export function createMergePatch(original: JsonObject, modified: JsonObject): JsonObject {
  const patch = new Map<string, unknown>();
  for (const key of Object.keys(original)) if (modified[key] === undefined) patch.set(key, null);
  for (const [key, value] of Object.entries(modified)) {
    const before = original[key];
    if (isPlainObject(before) && isPlainObject(value)) {
      const inner = createMergePatch(before, value);
      if (Object.keys(inner).length > 0) patch.set(key, inner);
    } else if (value !== undefined && JSON.stringify(before) !== JSON.stringify(value)) {
      patch.set(key, value);
    }
  }
  return Object.fromEntries(patch);
}
