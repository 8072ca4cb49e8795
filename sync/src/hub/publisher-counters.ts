/** What publishers did, added up; for metrics. One object may be shared by all publishers of a hub. */
export interface PublisherCounters {
  /** Scopes that were as the hub has them when the edge subscribed. */
  unchanged: number;
  /** Inventories asked for. */
  inventories: number;
  batches: number;
  /** Objects sent whole, as deltas, as removals, and as a new hash only. */
  fulls: number;
  deltas: number;
  removals: number;
  rehashes: number;
  /** Bytes of whole objects and deltas, packed. */
  objectBytes: number;
  /** Objects that an edge could not make from its own. */
  wantedFull: number;
  /** Mass removals that edges held back, and those confirmed. */
  holds: number;
  confirmations: number;
  /** Objects too large to be sent. */
  oversized: number;
}

/** Counters at 0. */
export function publisherCounters(): PublisherCounters {
  return {
    unchanged: 0,
    inventories: 0,
    batches: 0,
    fulls: 0,
    deltas: 0,
    removals: 0,
    rehashes: 0,
    objectBytes: 0,
    wantedFull: 0,
    holds: 0,
    confirmations: 0,
    oversized: 0,
  };
}
