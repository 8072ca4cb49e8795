import type { Random } from '@hawser/seams';

/** Properties of a device that are read together: their indices, and what the driver gets for them. */
export interface Batch<T> {
  readonly indices: readonly number[];
  readonly visits: readonly T[];
}

interface Group {
  readonly cycleMs: number;
  readonly indices: readonly number[];
  dueMs: number;
}

/** Combinations of cycles that are remembered: more are made anew each time. */
const COMBINATIONS_MAX = 64;

/**
 * When which properties of a device are due. Properties of one cycle form a group; groups of a device are on one grid of
 * time, so that those of 1 s and of 2 s meet in one reading. A cycle that was missed is skipped, never made up for.
 */
export class PollPlan<T> {
  readonly #visits: readonly T[];
  readonly #groups: readonly Group[];
  readonly #combinations = new Map<string, Batch<T>>();
  #originMs = 0;
  /** The next reading is the first one: nothing can have been missed. */
  #fresh = true;

  /**
   * @param visits of all properties of the device
   * @param cyclesMs of the same, milliseconds
   * @param except indices of those that need no reading
   */
  constructor(visits: readonly T[], cyclesMs: readonly number[], except: ReadonlySet<number> = new Set()) {
    this.#visits = visits;
    const byCycle = new Map<number, number[]>();
    cyclesMs.forEach((cycleMs, index) => {
      if (except.has(index)) return;
      const group = byCycle.get(cycleMs);
      if (group === undefined) byCycle.set(cycleMs, [index]);
      else group.push(index);
    });
    this.#groups = [...byCycle].map(([cycleMs, indices]) => ({ cycleMs, indices, dueMs: Infinity }));
  }

  /** When something is due next, monotonic; Infinity where nothing ever is. */
  get nextDueMs(): number {
    let next = Infinity;
    for (const { dueMs } of this.#groups) if (dueMs < next) next = dueMs;
    return next;
  }

  /** The shortest cycle; Infinity without any. */
  get shortestCycleMs(): number {
    return this.#groups.reduce((shortest, { cycleMs }) => Math.min(shortest, cycleMs), Infinity);
  }

  /** All is due now, and then on a grid that begins anywhere: devices that begin together do not stay together. */
  restart(nowMs: number, random: Random): void {
    const shortestMs = this.shortestCycleMs;
    if (shortestMs === Infinity) return;
    this.#originMs = nowMs - random.next() * shortestMs;
    for (const group of this.#groups) group.dueMs = nowMs;
    this.#fresh = true;
  }

  /**
   * What is due, and counts it as read.
   * @returns undefined where nothing is; `missed`: cycles that went by without a reading
   */
  take(nowMs: number): { readonly batch: Batch<T>; readonly missed: number } | undefined {
    let key = '';
    let missed = 0;
    for (const [number, group] of this.#groups.entries()) {
      if (group.dueMs > nowMs) continue;
      key += `${number} `;
      if (!this.#fresh) missed += Math.floor((nowMs - group.dueMs) / group.cycleMs);
      const cycles = Math.floor((nowMs - this.#originMs) / group.cycleMs) + 1;
      group.dueMs = this.#originMs + cycles * group.cycleMs;
    }
    this.#fresh = false;
    return key === '' ? undefined : { batch: this.#batch(key), missed };
  }

  #batch(key: string): Batch<T> {
    const known = this.#combinations.get(key);
    if (known !== undefined) return known;
    const indices = key
      .trimEnd()
      .split(' ')
      .flatMap((number) => this.#groups[Number(number)]?.indices ?? [])
      .sort((a, b) => a - b);
    const batch = { indices, visits: indices.flatMap((index) => this.#visits.slice(index, index + 1)) };
    if (this.#combinations.size < COMBINATIONS_MAX) this.#combinations.set(key, batch);
    return batch;
  }
}
