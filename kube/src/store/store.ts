import type { KubeObject } from '../meta/object.ts';

/** A resource: `group` is `''` for the core group, `resource` the lower-case plural. The version does not matter here. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** Where an object lives. `namespace` is `''` for cluster-scoped objects. */
export interface ObjectKey extends GroupResource {
  readonly namespace: string;
  readonly name: string;
}

/** One version of one object. */
export interface Entry {
  readonly key: ObjectKey;
  /** The version at which this state was written; positive, unique over the whole store. */
  readonly resourceVersion: number;
  /** The state, `metadata.resourceVersion` filled in. Never changed after it was stored. */
  readonly object: KubeObject;
  /** Its labels, where the store has them without parsing the object. Absent: those of {@link object}. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The object as JSON (UTF-8), serialised at the first call and then shared by all readers. */
  json(): Buffer;
}

/** What happened to an object. `entry` of a DELETED carries the last state with the deletion's resourceVersion. */
export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly entry: Entry;
  /** The state before; absent on ADDED. Selector transitions are computed from it. */
  readonly previous?: Entry;
}

/** A consistent list. */
export interface EntryList {
  /** In order of (namespace, name). */
  readonly entries: readonly Entry[];
  /** The version that the list shows: a watch from here misses nothing and repeats nothing. */
  readonly resourceVersion: number;
}

/** Which part of a resource is meant. */
export interface Scope extends GroupResource {
  /** Only this namespace; absent: all. */
  readonly namespace?: string;
}

/** A running watch. Iterating yields events in order of resourceVersion; `close` ends the iteration. */
export interface StoreWatch extends AsyncIterable<StoreEvent> {
  /** Every event up to this version has been put into this watch: what a bookmark may say once it is drained. */
  readonly deliveredVersion: number;
  close(): void;
}

/**
 * A versioned object store. All methods that write resolve once the write is durable (to the implementation's
 * promise: memory never is), and only then do readers and watchers see it.
 *
 * Errors: {@link StatusError} of reason AlreadyExists, NotFound, Conflict (version or uid differs), Expired
 * (410, a version older than the history kept), and code `ERR_KUBE_STORE_CLOSED` after {@link close}.
 */
export interface ObjectStore {
  /** The newest version, 0 in an empty store. */
  readonly resourceVersion: number;
  /** The oldest version that a watch can start from. */
  readonly oldestWatchVersion: number;

  /**
   * The newest version of one resource, where each has versions of its own: lists and bookmarks of it say none above.
   * Absent: {@link resourceVersion} counts for all.
   */
  versionOf?(resource: GroupResource): number;

  get(key: ObjectKey): Entry | undefined;

  /** Lists at the newest version, or at `atVersion` (for continue tokens). Rejects with Expired if that is compacted. */
  list(scope: Scope, options?: { atVersion?: number }): EntryList;

  create(key: ObjectKey, object: KubeObject): Promise<Entry>;

  /** Replaces the object if it still has `expectedVersion`. */
  update(key: ObjectKey, expectedVersion: number, object: KubeObject): Promise<Entry>;

  /** Removes the object if it still has `expectedVersion`. `finalObject`: the last state to show in the event. */
  delete(key: ObjectKey, expectedVersion: number, finalObject?: KubeObject): Promise<Entry>;

  /**
   * Events after `fromVersion` (exclusive). At most `limitEvents` (default 1000) wait for a slow reader; then
   * the watch ends with an error of reason Expired.
   */
  watch(scope: Scope, options: { fromVersion: number; limitEvents?: number }): StoreWatch;

  /** Flushes and releases everything; watches end. Idempotent. */
  close(): Promise<void>;
}
