import type { Content, ContentHash, ContentKey } from '../content/content.ts';

/** One change of a scope's replica. */
export type ReplicaChange = { readonly put: Content } | { readonly remove: ContentKey };

/** What a replica knows of a scope beside its objects. */
export interface ReplicaRecord {
  /** Version of the normal form that the hashes are of; 0: nothing was received yet. */
  readonly normalForm: number;
  /** The last stamp that the hub gave; empty: none. */
  readonly stamp: Uint8Array;
}

/** One object as the replica lists it. */
export interface ReplicaEntry {
  readonly hash: ContentHash;
  /** resourceVersion. */
  readonly version: string;
  /** Size of its content in bytes. */
  readonly sizeBytes: number;
}

/**
 * Where an edge keeps what it was given. Every implementation passes `describeReplicaStore` of
 * `@hawser/sync/testing`.
 */
export interface ReplicaStore {
  /** Every object of the scope, from memory. The answer is a view: it changes with each `apply`. */
  entries(scope: string): ReadonlyMap<ContentKey, ReplicaEntry>;
  /** Default: normal form 0, no stamp. */
  record(scope: string): ReplicaRecord;
  /** Canonical bytes of an object, undefined where there is none. Rejects where the disk does not give them. */
  read(scope: string, key: ContentKey): Promise<Uint8Array | undefined>;
  /**
   * Makes all changes and the record durable, together or not at all. Once it resolves they are visible, and
   * survive a power cut. Calls take effect in their order. A rejection means that nothing of it was done; the
   * caller may try again.
   */
  apply(scope: string, changes: readonly ReplicaChange[], record?: ReplicaRecord): Promise<void>;
  /** Calls with the keys of each `apply`, after it has become durable. Answers how to stop listening. */
  listen(listener: (scope: string, keys: readonly ContentKey[]) => void): () => void;
}
