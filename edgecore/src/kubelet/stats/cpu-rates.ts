/** Two readings that are closer than this say little about a rate. */
const MIN_PERIOD_MS = 1000;

interface Reading {
  readonly atMs: number;
  readonly cpuNanos: number;
  readonly nanoCores: number | undefined;
}

/**
 * Makes rates of counters: how many billionths of a core something has used between two readings. What is asked for
 * again within a second has the rate of before. Remembers one reading for each thing that {@link keep} has named.
 */
export class CpuRates {
  readonly #readings = new Map<string, Reading>();

  /**
   * Takes a reading; answers the rate, undefined at the first one.
   * @param atMs when it was read, wall milliseconds
   */
  rate(id: string, atMs: number, cpuNanos: number): number | undefined {
    const before = this.#readings.get(id);
    const periodMs = atMs - (before?.atMs ?? atMs);
    if (before !== undefined && periodMs >= 0 && periodMs < MIN_PERIOD_MS) return before.nanoCores;
    // A clock or counter that has gone back: begin again.
    const isForward = before !== undefined && periodMs > 0 && cpuNanos >= before.cpuNanos;
    const nanoCores = isForward ? Math.round((cpuNanos - before.cpuNanos) / (periodMs / 1000)) : undefined;
    this.#readings.set(id, { atMs, cpuNanos, nanoCores });
    return nanoCores;
  }

  /** Forgets everything but these. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#readings.keys()) if (!ids.has(id)) this.#readings.delete(id);
  }
}
