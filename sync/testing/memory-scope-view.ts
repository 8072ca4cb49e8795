import type { Content, ContentHash, ContentKey } from '../src/content/content.ts';
import { DigestTree } from '../src/content/digest-tree.ts';
import type { ScopeListener, ScopeView } from '../src/hub/scope-view.ts';

/** Settings of {@link MemoryScopeView}. */
export interface MemoryScopeViewOptions {
  readonly scope: string;
  /** Default: true. */
  readonly ready?: boolean;
  /** Default: one byte, which counts the changes of the view. */
  readonly stamp?: () => Uint8Array;
  /** Default: resolves at once. */
  readonly catchUp?: (signal: AbortSignal) => Promise<void>;
}

/** A {@link ScopeView} whose objects a test puts in: for tests and the simulator. */
export class MemoryScopeView implements ScopeView {
  readonly scope: string;
  readonly #contents = new Map<ContentKey, Content>();
  readonly #tree = new DigestTree();
  readonly #listeners = new Set<ScopeListener>();
  readonly #stamp: () => Uint8Array;
  readonly #catchUp: (signal: AbortSignal) => Promise<void>;
  #ready: boolean;
  #changes = 0;

  constructor(options: MemoryScopeViewOptions) {
    this.scope = options.scope;
    this.#ready = options.ready ?? true;
    this.#stamp = options.stamp ?? (() => Uint8Array.of(this.#changes % 256));
    this.#catchUp = options.catchUp ?? (() => Promise.resolve());
  }

  get ready(): boolean {
    return this.#ready;
  }

  get size(): number {
    return this.#contents.size;
  }

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size;
  }

  get(key: ContentKey): Content | undefined {
    return this.#contents.get(key);
  }

  *hashes(): Generator<readonly [ContentKey, ContentHash]> {
    for (const [key, { hash }] of this.#contents) yield [key, hash];
  }

  digest(): Uint8Array {
    return this.#tree.digest();
  }

  stamp(): Uint8Array {
    return this.#stamp();
  }

  catchUp(signal: AbortSignal): Promise<void> {
    return this.#catchUp(signal);
  }

  listen(listener: ScopeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Puts an object in, or another content in its place. */
  put(content: Content): void {
    this.#contents.set(content.key, content);
    this.#tree.set(content.key, content.hash);
    this.#tell(content.key);
  }

  /** Takes an object out. */
  remove(key: ContentKey): void {
    this.#contents.delete(key);
    this.#tree.delete(key);
    this.#tell(key);
  }

  /** The caches behind it have become synced. */
  becomeReady(): void {
    this.#ready = true;
    for (const listener of [...this.#listeners]) listener.ready();
  }

  /** What is behind it cannot be told for now. */
  ceaseToBeReady(): void {
    this.#ready = false;
  }

  #tell(key: ContentKey): void {
    this.#changes += 1;
    for (const listener of [...this.#listeners]) listener.changed(key);
  }
}
