import {
  DigestTree,
  type Content,
  type ContentHash,
  type ContentKey,
  type ScopeListener,
  type ScopeView,
} from '@hawser/sync';
import type { InterestNode, ObjectRecord } from './object-record.ts';

/** What a scope needs of the cache that it is a view of. */
export interface ScopeHost {
  /** Whether every feed has seen a complete list. */
  readonly synced: boolean;
  /** The record of a key among what nodes hold, if there is one. */
  find(key: ContentKey): ObjectRecord | undefined;
  /** Objects that the node gets without holding them. */
  shared(scope: NodeScope): Iterable<Content>;
  sharedContent(scope: NodeScope, key: ContentKey): Content | undefined;
  stamp(): Uint8Array;
  catchUp(scope: NodeScope, signal: AbortSignal): Promise<void>;
  /** Calls {@link NodeScope.flush} soon. */
  schedule(scope: NodeScope): void;
  listenerFailed(scope: NodeScope, error: unknown): void;
}

/**
 * What one node is to have: its Node, the pods that are bound to it, what they name, its devices. A view: contents
 * are those of the records, and only counts are its own. Listeners hear of a key once for all that happens to it in
 * one turn of the event loop.
 */
export class NodeScope implements ScopeView, InterestNode {
  readonly name: string;
  readonly scope: string;
  readonly holds = new Map<ObjectRecord, number>();
  present = 0;
  unanswered = 0;
  /** Its Node carries the label. */
  labelled = false;
  /** Sessions that say that it is an edge node. */
  claims = 0;
  /** Whether pods bound to it are kept. */
  edge = false;
  /** A caller has it, and is to have the same one next time. */
  handedOut = false;
  readonly #host: ScopeHost;
  readonly #listeners = new Set<ScopeListener>();
  readonly #changed = new Set<ContentKey>();
  #digest: Uint8Array | undefined;
  /** Whether somebody may have seen it not ready, and is to be told. */
  #readyOwed = true;

  constructor(name: string, host: ScopeHost) {
    this.name = name;
    this.scope = `node/${name}`;
    this.#host = host;
  }

  get ready(): boolean {
    return this.#host.synced && this.unanswered === 0;
  }

  get size(): number {
    return this.present + [...this.#host.shared(this)].length;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  get(key: ContentKey): Content | undefined {
    const record = this.#host.find(key);
    if (record !== undefined && this.holds.has(record)) return record.content;
    return this.#host.sharedContent(this, key);
  }

  *hashes(): Generator<readonly [ContentKey, ContentHash]> {
    for (const { key, content } of this.holds.keys()) if (content !== undefined) yield [key, content.hash];
    for (const { key, hash } of this.#host.shared(this)) yield [key, hash];
  }

  digest(): Uint8Array {
    this.#digest ??= DigestTree.of(this.hashes()).digest();
    return this.#digest;
  }

  stamp(): Uint8Array {
    return this.#host.stamp();
  }

  catchUp(signal: AbortSignal): Promise<void> {
    return this.#host.catchUp(this, signal);
  }

  listen(listener: ScopeListener): () => void {
    // The same object may listen twice, and each place is its own.
    const own: ScopeListener = {
      changed: (key) => listener.changed(key),
      ready: () => listener.ready(),
    };
    this.#listeners.add(own);
    if (!this.ready) this.#readyOwed = true;
    return () => void this.#listeners.delete(own);
  }

  touched(key: ContentKey): void {
    this.#digest = undefined;
    if (this.#listeners.size === 0) return;
    this.#changed.add(key);
    this.#host.schedule(this);
  }

  settling(): void {
    if (!this.ready) this.#readyOwed = true;
    else if (this.#readyOwed) this.#host.schedule(this);
  }

  /** Tells listeners what has changed since the last time, and of having become ready. */
  flush(): void {
    const keys = [...this.#changed];
    this.#changed.clear();
    for (const key of keys) this.#tell((listener) => listener.changed(key));
    if (!this.ready || !this.#readyOwed) return;
    this.#readyOwed = false;
    this.#tell((listener) => listener.ready());
  }

  #tell(call: (listener: ScopeListener) => void): void {
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      try {
        call(listener);
      } catch (error) {
        this.#host.listenerFailed(this, error);
      }
    }
  }
}
