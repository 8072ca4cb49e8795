import type { ContentKey } from '../content/content.ts';
import { SyncError } from '../errors.ts';

/** Removals that a replica holds back in one session, each under the hold that it came with. */
export class HeldRemovals {
  readonly #held = new Map<ContentKey, number>();
  #lastId = 0;

  get size(): number {
    return this.#held.size;
  }

  has(key: ContentKey): boolean {
    return this.#held.has(key);
  }

  /** Holds these back, under a new id, which it answers. */
  hold(keys: readonly ContentKey[]): number {
    this.#lastId += 1;
    for (const key of keys) this.#held.set(key, this.#lastId);
    return this.#lastId;
  }

  /** The hub wants it again: it is not held any more. */
  release(key: ContentKey): void {
    this.#held.delete(key);
  }

  /** What a confirmation of this hold is about: all that was held until then. @throws SyncError `ERR_SYNC_BAD_MESSAGE` */
  confirmed(id: number): ContentKey[] {
    if (id < 1 || id > this.#lastId) throw new SyncError('ERR_SYNC_BAD_MESSAGE', `hold ${id} was never made`);
    return [...this.#held].filter(([, hold]) => hold <= id).map(([key]) => key);
  }
}
