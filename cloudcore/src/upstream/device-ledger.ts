import { createHash } from 'node:crypto';
import { canonicalJson } from '@hawser/sync';

/** What this hub has last written of an object, or found to be so. */
export interface WrittenObject {
  /** Of the Device. */
  readonly uid: string;
  /** Hash of what was said. */
  readonly said: string;
  /** Hash of the condition that was said; `''`: none. */
  readonly served: string;
  /** resourceVersion that the object had then. */
  readonly version: string;
}

/** Of one session; more than a node has devices. */
const MAX_OBJECTS = 10_000;
const HASH_BYTES = 16;

/**
 * What was written in each session: what a device is said to be and is already costs no call, and what is new no reading
 * before the write. It ends with the session, because the node may then speak to another hub.
 */
export class DeviceLedger {
  readonly #sessions = new WeakMap<AbortSignal, Map<string, WrittenObject>>();

  get(session: AbortSignal, key: string, uid: string): WrittenObject | undefined {
    const written = this.#sessions.get(session)?.get(key);
    return written?.uid === uid ? written : undefined;
  }

  set(session: AbortSignal, key: string, written: WrittenObject): void {
    const objects = this.#sessions.get(session) ?? new Map<string, WrittenObject>();
    this.#sessions.set(session, objects);
    objects.delete(key);
    objects.set(key, written);
    const [oldest] = objects.keys();
    if (objects.size > MAX_OBJECTS && oldest !== undefined) objects.delete(oldest);
  }

  forget(session: AbortSignal, key: string): void {
    this.#sessions.get(session)?.delete(key);
  }
}

/** Hash of something that was said; `''` for nothing. */
export function hashOfSaid(said: unknown): string {
  if (said === undefined) return '';
  return createHash('sha256').update(canonicalJson(said)).digest().toString('latin1', 0, HASH_BYTES);
}
