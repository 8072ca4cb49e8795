import type { Content, ContentHash, ContentKey } from '../content/content.ts';

/** What happened to a scope: a key whose content may be another one now, or that the view has become complete. */
export interface ScopeListener {
  /** The content of this key is new, another, or gone: read it again. */
  changed(key: ContentKey): void;
  /** {@link ScopeView.ready} has become true. */
  ready(): void;
}

/**
 * What the hub wants an edge to have of one scope: a node's objects, or a pool's. A view of the hub's caches, not a
 * copy; the bytes are shared by all views that hold the object.
 */
export interface ScopeView {
  /** `node/<name>` or `pool/<name>`. */
  readonly scope: string;
  /** Whether all caches behind it are synced. Before that nothing of it may be told to an edge. */
  readonly ready: boolean;
  /** Objects in it. */
  readonly size: number;
  get(key: ContentKey): Content | undefined;
  /** Every key with the hash of its content. */
  hashes(): Iterable<readonly [ContentKey, ContentHash]>;
  /** Digest over all keys and hashes, 16 bytes; cached until something changes. */
  digest(): Uint8Array;
  /** Proof of how new this state is, for the edge to keep: see docs/sync.md, "Stamps". */
  stamp(): Uint8Array;
  /**
   * Resolves once all that the API server had at the time of the call is in the caches. Asked before removals are
   * confirmed. Rejects where that cannot be found out.
   */
  catchUp(signal: AbortSignal): Promise<void>;
  /** Answers how to stop listening. */
  listen(listener: ScopeListener): () => void;
}
