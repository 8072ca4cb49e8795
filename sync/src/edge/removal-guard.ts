import type { ContentKey } from '../content/content.ts';

/** How long a removal is remembered, milliseconds. */
export const REMOVAL_WINDOW_MS = 60_000;
/** Precision of the window: what happened within one slot ages together. */
const SLOT_MS = 1_000;

/**
 * Rule 4 of docs/sync.md: notices when more than half of what a scope had goes within a minute. Lives as long as the
 * edge runs, over sessions, so that a hub cannot get round it by reconnecting.
 *
 * "What a scope had" is the most that it had at any time within the last minute.
 */
export class RemovalGuard {
  /** Removals carried out within the window, with when. An object that came back does not count. */
  readonly #removed = new Map<ContentKey, number>();
  /** The most objects at any time in a slot, by slot, oldest first; at most one for each second of the window. */
  readonly #peaks = new Map<number, number>();

  /**
   * Whether these removals may be carried out; `alsoHeld` others are held back already.
   * @param keys removals that count, of objects that are there
   * @param count objects that are there now
   * @param nowMs monotonic time
   */
  allows(keys: readonly ContentKey[], alsoHeld: number, count: number, nowMs: number): boolean {
    this.#forget(nowMs);
    const had = Math.max(count, ...this.#peaks.values());
    return (this.#removed.size + alsoHeld + keys.length) * 2 <= had;
  }

  /** To be told what was carried out: `before` objects were there, `removed` counted, `put` are there again. */
  applied(
    before: number,
    removed: readonly ContentKey[],
    put: readonly ContentKey[],
    after: number,
    nowMs: number,
  ): void {
    this.#forget(nowMs);
    const slot = Math.floor(nowMs / SLOT_MS);
    this.#peaks.set(slot, Math.max(this.#peaks.get(slot) ?? 0, before, after));
    for (const key of removed) this.#removed.set(key, nowMs);
    for (const key of put) this.#removed.delete(key);
  }

  /** The hub has confirmed: what is there now is what the scope has, and the minute begins anew. */
  confirmed(): void {
    this.#removed.clear();
    this.#peaks.clear();
  }

  #forget(nowMs: number): void {
    const sinceMs = nowMs - REMOVAL_WINDOW_MS;
    for (const [key, removedMs] of this.#removed) {
      if (removedMs > sinceMs) break; // in order of time, oldest first
      this.#removed.delete(key);
    }
    for (const slot of this.#peaks.keys()) {
      if ((slot + 1) * SLOT_MS > sinceMs) break;
      this.#peaks.delete(slot);
    }
  }
}
