import { isPlainObject, jsonEqual, type JsonObject } from '../meta/json.ts';
import { goValue } from '../status/go-format.ts';
import { plainError } from '../status/status-errors.ts';
import type { StatusError } from '../status/status.ts';
import { notAMap } from './patch-errors.ts';
import { PLAIN, type FieldPatchMeta, type PatchType } from './patch-meta.ts';
import { checkPatchOrder, identity, inPatchOrder, noMergeKey } from './strategic-order.ts';

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_PREFIX = '$deleteFromPrimitiveList/';
const ORDER_PREFIX = '$setElementOrder/';

type Members = Map<string, unknown>;

/**
 * Applies a strategic merge patch: like a merge patch, but lists can be merged by a key, as `type` says
 * (`patchTypeOf`), and directives say more: `$patch` (delete, replace), `$retainKeys`, `$setElementOrder/…`,
 * `$deleteFromPrimitiveList/…`. Parts that the patch does not touch are shared with the target.
 * Source: apimachinery util/strategicpatch.
 * @throws StatusError BadRequest if the patch is no object; a plain 500, as the API server answers, for a directive
 * that is not understood or a list item without its key.
 */
export function applyStrategicMergePatch(target: JsonObject, patch: unknown, type: PatchType): JsonObject {
  if (!isPlainObject(patch)) throw notAMap(patch);
  return mergeMaps(target, patch, type);
}

function mergeMaps(original: JsonObject, patch: JsonObject, type: PatchType): JsonObject {
  const directive = patch[PATCH];
  if (directive !== undefined) return directed(directive, patch);
  const members = new Map(Object.entries(original));
  retainKeys(members, patch);
  const done = mergeOrderedLists(members, patch, type);
  for (const [key, value] of Object.entries(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(ORDER_PREFIX) || done.has(key)) continue;
    if (key.startsWith(DELETE_PREFIX)) deleteFromList(members, key.slice(DELETE_PREFIX.length), value);
    else mergeMember(members, key, value, type[key] ?? PLAIN_FIELD);
  }
  return Object.fromEntries(members);
}

const PLAIN_FIELD: FieldPatchMeta = {};

function directed(directive: unknown, patch: JsonObject): JsonObject {
  if (directive === 'replace') {
    return Object.fromEntries(Object.entries(patch).filter(([key]) => key !== PATCH));
  }
  if (directive === 'delete') return {};
  throw unknownDirective(directive, patch);
}

function unknownDirective(directive: unknown, patch: JsonObject): StatusError {
  return plainError(`unknown patch type: ${goValue(directive)} in map: ${goValue(patch)}`);
}

function mergeMember(members: Members, key: string, value: unknown, meta: FieldPatchMeta): void {
  if (value === null) {
    members.delete(key);
    return;
  }
  const present = members.get(key);
  if (isPlainObject(present) && isPlainObject(value)) {
    const merged = meta.strategy === 'replace' ? value : mergeMaps(present, value, meta.type ?? PLAIN);
    members.set(key, merged);
  } else if (Array.isArray(present) && Array.isArray(value) && meta.strategy === 'merge') {
    members.set(key, mergeLists(present, value, meta));
  } else {
    members.set(key, withoutDirectives(value));
  }
}

/** `$retainKeys` lists all members that may remain: how one variant of a union gives way to another. */
function retainKeys(members: Members, patch: JsonObject): void {
  const list = patch[RETAIN_KEYS];
  if (list === undefined) return;
  if (!Array.isArray(list)) throw plainError('invalid patch format of retainKeys');
  const kept = new Set<unknown>(list);
  for (const [key, value] of Object.entries(patch)) {
    if (
      value === null ||
      key === RETAIN_KEYS ||
      key.startsWith(DELETE_PREFIX) ||
      key.startsWith(ORDER_PREFIX)
    ) {
      continue;
    }
    if (!kept.has(key)) throw plainError('invalid patch format of retainKeys');
  }
  for (const key of [...members.keys()]) if (!kept.has(key)) members.delete(key);
}

/** Merges the lists that a `$setElementOrder` puts in order; returns their names. */
function mergeOrderedLists(members: Members, patch: JsonObject, type: PatchType): Set<string> {
  const done = new Set<string>();
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(ORDER_PREFIX)) continue;
    const name = directive.slice(ORDER_PREFIX.length);
    const meta = type[name] ?? PLAIN_FIELD;
    const present = members.get(name) ?? undefined;
    const change = patch[name] ?? undefined;
    if (!Array.isArray(order) || !isListOrAbsent(present) || !isListOrAbsent(change)) {
      throw plainError(`expected a list for ${directive}`);
    }
    done.add(name);
    checkPatchOrder(change ?? [], order, meta.key);
    if (present === undefined && change === undefined) continue;
    const merged = mergedList(present, change, meta);
    members.set(name, inPatchOrder(merged, order, present ?? [], meta.key));
  }
  return done;
}

function isListOrAbsent(value: unknown): value is readonly unknown[] | undefined {
  return value === undefined || Array.isArray(value);
}

function mergedList(
  present: readonly unknown[] | undefined,
  change: readonly unknown[] | undefined,
  meta: FieldPatchMeta,
): readonly unknown[] {
  if (change === undefined) return present ?? [];
  if (present === undefined) return withoutDirectives(change) as readonly unknown[]; // a list stays a list
  return meta.strategy === 'merge' ? mergeLists(present, change, meta) : change;
}

function mergeLists(present: readonly unknown[], patch: readonly unknown[], meta: FieldPatchMeta): unknown[] {
  if (meta.key === undefined) {
    const added = patch.filter((item, index) => patch.findIndex((other) => jsonEqual(item, other)) === index);
    const kept = present.filter((item) => !added.some((other) => jsonEqual(item, other)));
    return inPatchOrder([...kept, ...added], added, present, undefined);
  }
  return mergeKeyedLists(present, patch, meta.key, meta.type ?? PLAIN);
}

function mergeKeyedLists(
  present: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
  type: PatchType,
): unknown[] {
  const { changes, deleted, replaces } = sortOut(patch, mergeKey);
  if (replaces) return changes;
  const merged = present.filter((item) => !deleted.some((key) => jsonEqual(identity(item, mergeKey), key)));
  const remaining = [...merged];
  for (const change of changes) {
    const key = identity(change, mergeKey);
    const at = merged.findIndex((item) => jsonEqual(identity(item, mergeKey), key));
    const item = merged[at];
    if (isPlainObject(item)) merged[at] = mergeMaps(item, change, type);
    else merged.push(withoutDirectives(change));
  }
  return inPatchOrder(merged, changes, remaining, mergeKey);
}

/** Takes the directives out of a list's patch. */
function sortOut(
  patch: readonly unknown[],
  mergeKey: string,
): { changes: JsonObject[]; deleted: unknown[]; replaces: boolean } {
  const changes: JsonObject[] = [];
  const deleted: unknown[] = [];
  let replaces = false;
  for (const item of patch) {
    if (!isPlainObject(item)) throw noMergeKey(item, mergeKey);
    const directive = item[PATCH];
    if (directive === undefined) changes.push(item);
    else if (directive === 'replace') replaces = true;
    else if (directive === 'delete') deleted.push(identity(item, mergeKey));
    else if (directive === 'merge') throw plainError('merging lists cannot yet be specified in the patch');
    else throw unknownDirective(directive, item);
  }
  return { changes, deleted, replaces };
}

function deleteFromList(members: Members, name: string, values: unknown): void {
  const present = members.get(name);
  if (!Array.isArray(present)) return;
  if (!Array.isArray(values)) throw plainError(`expected a list for ${DELETE_PREFIX}${name}`);
  const kept: unknown[] = present.filter((item) => !values.some((value) => jsonEqual(item, value)));
  members.set(name, kept);
}

/** A part of a patch that becomes part of the object: without directives, and without nulls, which delete nothing. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !(isPlainObject(item) && item[PATCH] !== undefined)).map(withoutDirectives);
  }
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => member !== null && !isDirective(key))
      .map(([key, member]) => [key, withoutDirectives(member)]),
  );
}

function isDirective(key: string): boolean {
  return (
    key === PATCH || key === RETAIN_KEYS || key.startsWith(DELETE_PREFIX) || key.startsWith(ORDER_PREFIX)
  );
}
