import type { ContentKey } from '@hawser/sync';
import type { EdgeCoreErrorCode } from '../errors.ts';

/** How many rows of each kind. */
export interface RowCounts {
  readonly objects: number;
  /** Records of scopes: normal form and stamp. */
  readonly scopes: number;
  readonly outbox: number;
  readonly state: number;
}

/** An object that the hub had given and that is not readable any more, though nobody removed it. */
export interface LostObject {
  readonly scope: string;
  readonly key: ContentKey;
}

/**
 * - `damaged`: the database was damaged. It was set aside, and a new one begun with what could still be read.
 * - `file-missing`: the folder was in use before, and the database is not there.
 * - `log-missing`: the write-ahead log is not there although it had acknowledged writes: the last ones are lost.
 * - `log-cut`: the write-ahead log is damaged inside; the writes behind the damage are lost.
 * - `log-torn`: the last transaction in the log is incomplete. A power cut while it was written looks so (then nothing
 *   acknowledged is lost), and damage to the last acknowledged one.
 * - `key-lost`: the key is not the one that secrets were encrypted with; they are lost.
 * - `secret-lost`: single encrypted rows do not open, and are lost.
 * - `mode-repaired`: the folder or a file was open to others; it is no more.
 */
export type FindingKind =
  | 'damaged'
  | 'file-missing'
  | 'log-missing'
  | 'log-cut'
  | 'log-torn'
  | 'key-lost'
  | 'secret-lost'
  | 'mode-repaired';

/** One thing found that an operator may want to know. */
export interface StoreFinding {
  readonly kind: FindingKind;
  /** A sentence. */
  readonly message: string;
  /** Of `damaged`: where the old file is now. Absent where the file system is read-only. */
  readonly setAside?: string;
  /** Of `damaged`: what was taken over from the old file. */
  readonly salvaged?: RowCounts;
  /** Rows known to be lost. What stood on pages that cannot be read at all is not counted. */
  readonly lost?: RowCounts;
  /** Of the lost rows the objects whose key is known; at most 1,000. */
  readonly lostObjects?: readonly LostObject[];
}

/** What opening a store found. */
export interface OpenReport {
  /** There was no database before. */
  readonly created: boolean;
  /** The file system is read-only: what is there is served, every write is refused. */
  readonly readOnly: boolean;
  /** Empty: everything was in order. */
  readonly findings: readonly StoreFinding[];
}

/** Something that went wrong while the store was open, told through `onFault`. */
export interface StoreFault {
  /**
   * `ERR_EDGE_STORE_DAMAGED` (some content was lost; the store goes on), `ERR_EDGE_STORE_FAILED` (no more writes until
   * a restart), `ERR_EDGE_STORE_FULL` or `ERR_EDGE_STORE_READ_ONLY` (the log cannot be merged for now).
   */
  readonly code: EdgeCoreErrorCode;
  readonly message: string;
  /** Objects that `entries()` does not list any more, for the hub to send again. */
  readonly lostObjects: readonly LostObject[];
  /** Of a rebuilt database: what was found. */
  readonly finding?: StoreFinding;
}
