import type { ContentKey } from '../content/content.ts';

/** How long a removal is remembered, milliseconds. */
export const REMOVAL_WINDOW_MS = 60_000;
/** Precision of the window: what happened within one slot ages together. */
const SLOT_MS = 1_000;

/** Removals that a hub asks for at once, all of objects that are there. */
export interface AskedRemovals {
  /** Those that count. */
  readonly counted: readonly ContentKey[];
  /** Number of those that do not: of pods that were marked for deletion. */
  readonly uncounted: number;
  /** Removals that are held back already. */
  readonly alsoHeld: number;
  /** Objects that are there now. */
  readonly count: number;
}

/** What was made durable at once. */
export interface AppliedChanges {
  /** Objects in the scope before and after. */
  readonly before: number;
  readonly after: number;
  /** Removals that count. */
  readonly counted: readonly ContentKey[];
  /** Number of removals that do not: of pods that were marked for deletion, and those confirmed. */
  readonly uncounted: number;
  readonly put: readonly ContentKey[];
}

/**
 * Rule 4 of docs/sync.md: notices when more than half of what a scope had goes within a minute. Lives as long as the
 * edge runs, over sessions, so that a hub cannot get round it by reconnecting.
 *
 * "What a scope had" is the most that it had at any time within the last minute.
 */
export class RemovalGuard {
  /** Removals carried out within the window, with their slot. An object that came back does not count. */
  readonly #removed = new Map<ContentKey, number>();
  /** The most objects at any time in a slot, by slot, oldest first; at most one for each second of the window. */
  readonly #peaks = new Map<number, number>();

  /** Whether these removals may be carried out without a question. */
  allows({ counted, uncounted, alsoHeld, count }: AskedRemovals, nowMs: number): boolean {
    this.#forget(nowMs);
    const had = Math.max(count, ...this.#peaks.values()) - uncounted;
    return (this.#removed.size + alsoHeld + counted.length) * 2 <= had;
  }

  /** To be told what was carried out. */
  applied(done: AppliedChanges, nowMs: number): void {
    const { before, after, counted, uncounted, put } = done;
    this.#forget(nowMs);
    // What goes without counting does not count as what the scope had either.
    for (const [slot, peak] of this.#peaks) this.#peaks.set(slot, peak - uncounted);
    const slot = Math.floor(nowMs / SLOT_MS);
    this.#peaks.set(slot, Math.max(this.#peaks.get(slot) ?? 0, before - uncounted, after));
    for (const key of put) this.#removed.delete(key);
    for (const key of counted) this.#removed.set(key, slot);
  }

  /** The hub has confirmed: what is there now is what the scope has, and the minute begins anew. */
  confirmed(): void {
    this.#removed.clear();
    this.#peaks.clear();
  }

  #forget(nowMs: number): void {
    const first = Math.ceil((nowMs - REMOVAL_WINDOW_MS) / SLOT_MS) - 1;
    // Both are in order of time. What was there and what went of it are forgotten together.
    for (const [key, slot] of this.#removed) {
      if (slot >= first) break;
      this.#removed.delete(key);
    }
    for (const slot of this.#peaks.keys()) {
      if (slot >= first) break;
      this.#peaks.delete(slot);
    }
  }
}
