import type { ContentKey } from '@hawser/sync';

interface Change {
  readonly atMs: number;
  readonly before: number;
  readonly after: number;
  /** Removals that do not count, by now: of this change and of all since. */
  uncounted: number;
  readonly removed: readonly ContentKey[];
  readonly put: readonly ContentKey[];
}

const WINDOW_MS = 60_000;
/** The guard forgets by the second; what it may or may not have forgotten is judged in its favour. */
const SLACK_MS = 1_100;

/** Rule 4 of docs/sync.md, "more than half within a minute", counted anew from all that happened. */
export class RemovalLog {
  #changes: Change[] = [];

  applied(
    atMs: number,
    before: number,
    after: number,
    uncounted: number,
    removed: readonly ContentKey[],
    put: readonly ContentKey[],
  ): void {
    this.#changes = this.#changes.filter((change) => change.atMs > atMs - WINDOW_MS - SLACK_MS);
    for (const change of this.#changes) change.uncounted += uncounted;
    // Afterwards it has what it has.
    this.#changes.push({ atMs, before: before - uncounted, after, uncounted: 0, removed, put });
  }

  /** What is there now is what there is to lose. */
  confirmed(): void {
    this.#changes = [];
  }

  /** Whether these could go without a question. */
  allows(nowMs: number, count: number, keys: readonly ContentKey[], uncounted: number): boolean {
    const gone = new Set<ContentKey>();
    let had = count;
    for (const { atMs, before, after, uncounted: since, removed, put } of this.#changes) {
      if (atMs > nowMs - WINDOW_MS - SLACK_MS) had = Math.max(had, before - since, after - since);
      if (atMs > nowMs - WINDOW_MS + SLACK_MS) for (const key of removed) gone.add(key);
      for (const key of put) gone.delete(key);
    }
    for (const key of keys) gone.add(key);
    return gone.size * 2 <= had - uncounted;
  }
}
