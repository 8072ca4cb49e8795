import { createHash } from 'node:crypto';
import { isPlainObject } from '@hawser/kube';

/** No vowels, nothing that looks alike. Source: apimachinery util/rand SafeEncodeString. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const LENGTH = 10;

/**
 * A short name for a pod template: the same for equal templates whatever the order of keys. `collisions` gives
 * another one for the same template, where a name was taken by a different one.
 * Source of the idea: kubernetes pkg/controller ComputeHash (whose value nobody may rely on).
 */
export function templateHash(template: unknown, collisions = 0): string {
  const digest = createHash('sha256').update(canonical(template)).update(`#${collisions}`).digest();
  return Array.from(digest.subarray(0, LENGTH), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isPlainObject(value)) return value === undefined ? 'null' : JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}
