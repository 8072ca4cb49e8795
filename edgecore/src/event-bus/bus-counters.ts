/** What a bus has done; numbers only grow. */
export interface BusCounters {
  /** Clients that have connected to our broker. */
  connected: number;
  /** Messages that came over the bus. */
  received: number;
  /** Messages that the edge core has sent. */
  sent: number;
  /** Times that a client was not read from, since it publishes more than it may. */
  throttled: number;
  /** Messages that were not kept although they should have been, by where: `session`, `retained`, `outgoing`, `bridge`. */
  readonly dropped: Map<string, number>;
  /** What was refused, by reason. */
  readonly refused: Map<string, number>;
  /** Lasting sessions that were forgotten: there were too many, or their client was away for too long. */
  forgotten: number;
  /** Failures of the disk. */
  diskErrors: number;
}

/** All zero. */
export function newBusCounters(): BusCounters {
  return {
    connected: 0,
    received: 0,
    sent: 0,
    throttled: 0,
    dropped: new Map(),
    refused: new Map(),
    forgotten: 0,
    diskErrors: 0,
  };
}

/** Adds `more`, one by default. */
export function countIn(counts: Map<string, number>, reason: string, more = 1): void {
  counts.set(reason, (counts.get(reason) ?? 0) + more);
}
