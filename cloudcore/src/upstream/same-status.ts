import { isPlainObject } from '@hawser/kube';

/**
 * Whether two statuses say the same. The API server writes some fields out that are empty and leaves out others
 * (`lastProbeTime: null`, `lastState: {}`): null, an empty text, an empty list and an empty object are as good as
 * absent.
 */
export function sameStatus(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (isEmpty(left) || isEmpty(right)) return isEmpty(left) && isEmpty(right);
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => sameStatus(item, right[index]));
  }
  if (!isPlainObject(left) || !isPlainObject(right)) return false;
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (!sameStatus(left[key], right[key])) return false;
  }
  return true;
}

/** An object all of whose members are empty is empty too. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isPlainObject(value) && Object.values(value).every(isEmpty);
}
