import { isPlainObject, jsonEqual } from '../meta/json.ts';
import { goValue } from '../status/go-format.ts';
import { plainError } from '../status/status-errors.ts';
import type { StatusError } from '../status/status.ts';

/** 500 for a list item that lacks what tells it apart. */
export function noMergeKey(item: unknown, mergeKey: string): StatusError {
  return plainError(`map: ${goValue(item)} does not contain declared merge key: ${mergeKey}`);
}

/** What tells an item apart: its merge key's value; a scalar is told apart by itself. */
export function identity(item: unknown, mergeKey: string | undefined): unknown {
  if (mergeKey === undefined) return item;
  const value = isPlainObject(item) ? item[mergeKey] : undefined;
  if (value === undefined || value === null) throw noMergeKey(item, mergeKey);
  return value;
}

function indexIn(list: readonly unknown[], item: unknown, mergeKey: string | undefined): number {
  const wanted = identity(item, mergeKey);
  return list.findIndex((candidate) => jsonEqual(identity(candidate, mergeKey), wanted));
}

/**
 * Orders a merged list: items that the patch speaks of in the patch's order; between them, as far as it goes
 * without disturbing that, the others in the order in which the server has them.
 * Source: apimachinery util/strategicpatch normalizeElementOrder, mergeSortedSlice.
 */
export function inPatchOrder(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const ranked = merged.map((item) => ({ item, rank: indexIn(patchOrder, item, mergeKey) }));
  const fromPatch = ranked.filter(({ rank }) => rank >= 0).sort((left, right) => left.rank - right.rank);
  const others = ranked
    .filter(({ rank }) => rank < 0)
    .map(({ item }) => ({ item, rank: indexIn(serverOrder, item, mergeKey) }))
    .sort((left, right) => left.rank - right.rank);
  const result: unknown[] = [];
  while (fromPatch.length > 0 && others.length > 0) {
    const [theirs] = others;
    const ours = indexIn(serverOrder, fromPatch[0]?.item, mergeKey);
    const otherFirst = theirs !== undefined && theirs.rank >= 0 && ours >= 0 && theirs.rank < ours;
    result.push((otherFirst ? others : fromPatch).shift()?.item);
  }
  return [...result, ...fromPatch.map(({ item }) => item), ...others.map(({ item }) => item)];
}

/**
 * Checks that a patch's list follows the order that its `$setElementOrder` demands.
 * Source: apimachinery util/strategicpatch validatePatchWithSetOrderList.
 */
export function checkPatchOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string | undefined,
): void {
  const kept = patch.filter((item) => !(isPlainObject(item) && item['$patch'] === 'delete'));
  let next = 0;
  for (const place of order) {
    if (next === kept.length) return;
    if (jsonEqual(identity(kept[next], mergeKey), identity(place, mergeKey))) next += 1;
  }
  if (next === kept.length) return;
  throw plainError(
    `The order in patch list:\n${goValue(patch)}\n doesn't match $setElementOrder list:\n${goValue(order)}\n`,
  );
}
