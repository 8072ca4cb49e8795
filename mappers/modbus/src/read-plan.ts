/** One thing to read: addresses from `start` on. */
export interface Wanted {
  readonly start: number;
  readonly count: number;
}

/** What one request reads: addresses from `start` on, and what is wanted of them, by address. */
export interface Span<W extends Wanted> extends Wanted {
  readonly wanted: readonly W[];
}

/** What may be read together. */
export interface PlanOptions<W extends Wanted> {
  /** Most addresses of one request: 125 registers, 2,000 bits (Modbus Application Protocol 6.1, 6.3). */
  readonly most: number;
  /** Most addresses between two wanted ones that nobody wants. */
  readonly maxGap: number;
  /** Known to be unreadable: not read, and nothing is read across it. */
  readonly isBad: (wanted: W) => boolean;
  /** Known not to be readable in one request with what comes before it. */
  readonly isCut: (wanted: W) => boolean;
}

/** The least requests that read everything in order of address, as far as {@link PlanOptions} lets them. */
export function planReads<W extends Wanted>(wanted: readonly W[], options: PlanOptions<W>): Span<W>[] {
  const { most, maxGap, isBad, isCut } = options;
  const spans: { start: number; count: number; wanted: W[] }[] = [];
  let open: { start: number; count: number; wanted: W[] } | undefined;
  for (const next of inOrder(wanted)) {
    if (isBad(next)) {
      open = undefined;
      continue;
    }
    const end = next.start + next.count;
    if (open !== undefined && !isCut(next)) {
      const openEnd = open.start + open.count;
      const count = Math.max(openEnd, end) - open.start;
      if (next.start - openEnd <= maxGap && count <= most) {
        open.count = count;
        open.wanted.push(next);
        continue;
      }
    }
    open = { start: next.start, count: next.count, wanted: [next] };
    spans.push(open);
  }
  return spans;
}

/** What is needed to read some of a span's wanted ones, which are in order of address. */
export function spanOf<W extends Wanted>(wanted: readonly W[]): Span<W> {
  const start = Math.min(...wanted.map((one) => one.start));
  const end = Math.max(...wanted.map((one) => one.start + one.count));
  return { start, count: end - start, wanted };
}

function inOrder<W extends Wanted>(wanted: readonly W[]): W[] {
  return [...wanted].sort((a, b) => a.start - b.start || a.count - b.count);
}
