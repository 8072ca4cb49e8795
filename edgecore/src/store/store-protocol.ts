import type { ContentHash, ContentKey, OutboxEntry, ReplicaChange, ReplicaRecord } from '@hawser/sync';
import type { EdgeCoreErrorCode } from '../errors.ts';
import type { OpenReport, StoreFault, StoreFinding } from './store-report.ts';

/** One change of the state of the edge. */
export type StateChange =
  | { readonly put: { readonly key: string; readonly bytes: Uint8Array; readonly secret: boolean } }
  | { readonly remove: string };

/** What is done as a whole or not at all. */
export type Job =
  | {
      readonly type: 'apply';
      readonly scope: string;
      readonly changes: readonly ReplicaChange[];
      readonly record: ReplicaRecord | undefined;
    }
  | { readonly type: 'outbox'; readonly put: readonly OutboxEntry[]; readonly remove: readonly string[] }
  | { readonly type: 'state'; readonly change: StateChange };

/** What the worker is told, and does in the order sent: `open` first. */
export type ToWorker =
  | { readonly type: 'open'; readonly settings: WorkerSettings }
  | { readonly type: 'write'; readonly jobs: readonly Job[] }
  | { readonly type: 'read'; readonly scope: string; readonly key: ContentKey }
  | { readonly type: 'outbox' }
  /** See `collectGarbage`; not answered. Any time, before `open` too. */
  | { readonly type: 'collect'; readonly dropCode: boolean }
  | { readonly type: 'close' };

/** An error, as it crosses the threads. */
export interface Failure {
  readonly code: EdgeCoreErrorCode;
  readonly message: string;
  readonly about: string;
}

/** What a store has in memory, row by row. */
export type InventoryItem =
  | {
      readonly type: 'object';
      readonly scope: string;
      readonly key: ContentKey;
      readonly hash: ContentHash;
      readonly version: string;
      readonly sizeBytes: number;
    }
  | { readonly type: 'scope'; readonly scope: string; readonly record: ReplicaRecord }
  | { readonly type: 'state'; readonly key: string; readonly bytes: Uint8Array; readonly secret: boolean };

/** A content as the disk has it, checked against its hash. */
export interface ReadContent {
  readonly hash: ContentHash;
  readonly bytes: Uint8Array;
}

/**
 * What the worker says. Opening: `inventory`…, `opened`, or `unusable`. Then one answer for each message but `collect`, in
 * order; in between `fault` and `hasRoom`, and when the database had to be made anew `inventory`… and `rebuilt`, before the answer.
 */
export type FromWorker =
  | { readonly type: 'inventory'; readonly items: readonly InventoryItem[] }
  | { readonly type: 'opened'; readonly report: OpenReport }
  | { readonly type: 'unusable'; readonly failure: Failure }
  | { readonly type: 'rebuilt'; readonly finding: StoreFinding }
  | { readonly type: 'fault'; readonly fault: StoreFault }
  /** What was told as `ERR_EDGE_STORE_FULL` or `ERR_EDGE_STORE_READ_ONLY` is over. */
  | { readonly type: 'hasRoom' }
  /** For each job undefined, or why it was not done. */
  | { readonly type: 'written'; readonly failures: readonly (Failure | undefined)[] }
  | { readonly type: 'content'; readonly content: ReadContent | undefined }
  | { readonly type: 'entries'; readonly entries: readonly OutboxEntry[] }
  /** Instead of `content` or `entries`. */
  | { readonly type: 'failed'; readonly failure: Failure };

/** Which store, and how large it may become. */
export interface WorkerSettings {
  readonly dir: string;
  readonly limitBytes: number;
  readonly credentialsDir: string | undefined;
}
