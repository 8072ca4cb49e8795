import type { Content, ContentHash, ContentKey } from '../content/content.ts';
import type { ScopeListener, ScopeView } from '../hub/scope-view.ts';
import type { PoolView } from './pool-view.ts';
import { readSignedState } from './signed-state.ts';

/** What a {@link publishedView} goes by, beside what is committed. */
export interface PublishedViewOptions {
  /** Whether it may be told at all, as by a leader that is ready. */
  readonly ready: () => boolean;
  /** See `ScopeView.catchUp`. */
  readonly catchUp: (signal: AbortSignal) => Promise<void>;
}

/** What a leader publishes of one scope: one view for all its followers. */
export interface PublishedView extends ScopeView {
  /** To be called when {@link PublishedViewOptions.ready} has become true: those that wait begin. */
  becameReady(): void;
}

/**
 * The committed state of a pool's scope as a `ScopePublisher` reads it. Its listeners are told within each commit: there
 * is no moment in which digest and stamp are of another state than they know of. `ScopePublisherOptions.normalForm` is
 * `PoolStore.normalForm` of the scope.
 */
export function publishedView(view: PoolView, options: PublishedViewOptions): PublishedView {
  return new PublishedPoolView(view, options);
}

class PublishedPoolView implements PublishedView {
  readonly scope: string;
  readonly #view: PoolView;
  readonly #options: PublishedViewOptions;
  readonly #listeners = new Set<ScopeListener>();
  #digest: { readonly of: Uint8Array; readonly digest: Uint8Array } | undefined;

  constructor(view: PoolView, options: PublishedViewOptions) {
    this.scope = view.scope;
    this.#view = view;
    this.#options = options;
  }

  get ready(): boolean {
    return this.#view.ready && this.#options.ready();
  }

  get size(): number {
    return this.#view.size;
  }

  get(key: ContentKey): Content | undefined {
    return this.#view.get(key);
  }

  *hashes(): Generator<readonly [ContentKey, ContentHash]> {
    for (const { key, hash } of this.#view.contents()) yield [key, hash];
  }

  /** That which was signed: what is committed has it. */
  digest(): Uint8Array {
    const { stamp } = this.#view;
    if (this.#digest?.of !== stamp)
      this.#digest = { of: stamp, digest: readSignedState(stamp)?.digest ?? new Uint8Array(0) };
    return this.#digest.digest;
  }

  stamp(): Uint8Array {
    return this.#view.stamp;
  }

  catchUp(signal: AbortSignal): Promise<void> {
    return this.#options.catchUp(signal);
  }

  listen(listener: ScopeListener): () => void {
    const stop = this.#view.listen(({ changes }) => {
      for (const { key } of changes) listener.changed(key);
      // The first commit makes the view ready; of one that was, it is no news.
      if (this.ready) listener.ready();
    });
    this.#listeners.add(listener);
    return () => {
      stop();
      this.#listeners.delete(listener);
    };
  }

  becameReady(): void {
    if (!this.ready) return;
    for (const listener of [...this.#listeners]) listener.ready();
  }
}
