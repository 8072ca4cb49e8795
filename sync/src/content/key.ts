import { SyncError } from '../errors.ts';
import type { ContentKey } from './content.ts';

/** What a {@link ContentKey} is made of. */
export interface KeyParts {
  /** Plural with its group: `pods`, `devices.devices.kubeedge.io`. */
  readonly resource: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
}

/** Longest key, UTF-8 bytes. Resource, namespace and name of an API server together stay below 650. */
export const MAX_KEY_BYTES = 1024;

/** Half of a surrogate pair: has no form in UTF-8, so that two keys would have one. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Makes a key. @throws SyncError `ERR_SYNC_BAD_KEY` */
export function formatKey(resource: string, namespace: string, name: string): ContentKey {
  const key = `${resource}/${namespace}/${name}`;
  parseKey(key);
  return key;
}

/** Takes a key apart. @throws SyncError `ERR_SYNC_BAD_KEY` */
export function parseKey(key: ContentKey): KeyParts {
  const first = key.indexOf('/');
  const second = key.indexOf('/', first + 1);
  if (first < 1 || second < 0 || second === key.length - 1 || key.includes('/', second + 1))
    throw badKey(key, 'not resource/namespace/name');
  // A character has at least one byte: the long way is only for what may be near the limit.
  if (key.length > MAX_KEY_BYTES / 3 && Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw badKey(key, `longer than ${MAX_KEY_BYTES} bytes`);
  // The digest separates keys and hashes by NUL.
  if (key.includes('\0') || LONE_SURROGATE.test(key)) throw badKey(key, 'a character that no name has');
  return {
    resource: key.slice(0, first),
    namespace: key.slice(first + 1, second),
    name: key.slice(second + 1),
  };
}

/** Order of keys by their UTF-8 bytes, for `sort`. */
export function compareKeys(a: ContentKey, b: ContentKey): number {
  if (a === b) return 0;
  // UTF-16 sorts as UTF-8 does but for what is beyond the basic plane.
  if (hasSurrogates(a) || hasSurrogates(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

function hasSurrogates(text: string): boolean {
  return /[\ud800-\udfff]/.test(text);
}

function badKey(key: string, why: string): SyncError {
  return new SyncError('ERR_SYNC_BAD_KEY', `${JSON.stringify(key.slice(0, 200))}: ${why}`);
}
