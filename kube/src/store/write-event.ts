import type { KubeObject } from '../meta/object.ts';
import { alreadyExists, conflict, notFound, uidConflict } from '../status/status-errors.ts';
import { entryOf, type SizedEntry } from './entry.ts';
import type { SizedEvent } from './event-log.ts';
import type { ObjectKey } from './store.ts';

/** A write before its version is known. */
export type Write =
  | { readonly type: 'create'; readonly key: ObjectKey; readonly object: KubeObject }
  | {
      readonly type: 'update';
      readonly key: ObjectKey;
      readonly expectedVersion: number;
      readonly object: KubeObject;
    }
  | {
      readonly type: 'delete';
      readonly key: ObjectKey;
      readonly expectedVersion: number;
      readonly finalObject: KubeObject | undefined;
    };

/**
 * Checks a write against the object's present state, and makes its event, with `version` as the new version.
 * @throws StatusError AlreadyExists, NotFound, Conflict (version or uid differs), BadRequest (the object is no JSON).
 */
export function eventOf(write: Write, current: SizedEntry | undefined, version: number): SizedEvent {
  const { key } = write;
  if (write.type === 'create') {
    if (current !== undefined) throw alreadyExists(key, key.name);
    return { type: 'ADDED', entry: entryOf(key, version, write.object) };
  }
  if (current === undefined) throw notFound(key, key.name);
  if (write.type === 'update') checkUid(key, write.object.metadata.uid, current.object.metadata.uid);
  if (current.resourceVersion !== write.expectedVersion) throw conflict(key, key.name);
  if (write.type === 'update') {
    return { type: 'MODIFIED', entry: entryOf(key, version, write.object), previous: current };
  }
  return {
    type: 'DELETED',
    entry: entryOf(key, version, write.finalObject ?? current.object),
    previous: current,
  };
}

function checkUid(key: ObjectKey, expectedUid: string | undefined, uid: string | undefined): void {
  if (expectedUid === undefined || uid === undefined || expectedUid === uid) return;
  throw uidConflict(key, { namespace: key.namespace, name: key.name, uid, expectedUid });
}
