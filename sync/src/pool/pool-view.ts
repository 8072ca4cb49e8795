import type { Content, ContentKey } from '../content/content.ts';

/** What one commit has changed. */
export interface PoolChange {
  readonly key: ContentKey;
  /** As it is now; undefined: it is gone. */
  readonly content: Content | undefined;
  /** As it was; undefined: it is new. */
  readonly previous: Content | undefined;
}

/** A state that the hub has signed has taken the place of another one. */
export interface PoolCommit {
  /** `pool/<pool>/<resource>`. */
  readonly scope: string;
  /** resourceVersion that the replica shows from now on. */
  readonly version: string;
  /** In order of their resourceVersions; what is gone comes last, and counts as of {@link version}. */
  readonly changes: readonly PoolChange[];
}

/** The committed state of one scope of a pool: what local readers and followers see. */
export interface PoolView {
  readonly scope: string;
  /** Whether there is a committed state. */
  readonly ready: boolean;
  /** The resourceVersion that it shows; empty: none. */
  readonly version: string;
  /** Nothing has changed since this resourceVersion: {@link version}, or a lower one; empty: none. Absent: not known. */
  readonly changed?: string;
  /** The signed state; empty: none. */
  readonly stamp: Uint8Array;
  readonly size: number;
  get(key: ContentKey): Content | undefined;
  contents(): Iterable<Content>;
  /** Calls synchronously with each commit. Answers how to stop listening. */
  listen(listener: (commit: PoolCommit) => void): () => void;
}
