/** Times of elections and streams, milliseconds: docs/pool.md, "Times". */
export interface PoolTimes {
  /** Between two renewals of a pool's Lease. */
  readonly renewMs: number;
  /** For how long a Lease counts after this replica has seen it renewed. */
  readonly leaseMs: number;
  /** How long a leader whose session has ended may take to come back. */
  readonly comeBackMs: number;
  /** A leader of whom nothing was heard for this long gives way to a member that claims, and is not renewed. */
  readonly silentMs: number;
  /** The same, where the leader itself hands over. Longer than between two signs of life of one that is there. */
  readonly handoverMs: number;
  /** Upper bound of the wait before a member goes direct. */
  readonly jitterMs: number;
  /** How long a member may go on directly before it has to ask again. */
  readonly directMs: number;
  /** How long removals that a member holds back wait before the hub looks again. */
  readonly confirmMs: number;
  /** Between two writes of a NodePool's status. */
  readonly statusMs: number;
}

const DEFAULT_HEARTBEAT_SECONDS = 5;

/** The times that go with a heartbeat. */
export function poolTimes(heartbeatSeconds: number): PoolTimes {
  const scale = heartbeatSeconds / DEFAULT_HEARTBEAT_SECONDS;
  return {
    renewMs: 10_000 * scale,
    leaseMs: 25_000 * scale,
    comeBackMs: 5_000 * scale,
    silentMs: 12_000 * scale,
    handoverMs: 7_000 * scale,
    jitterMs: 30_000 * scale,
    directMs: 300_000 * scale,
    confirmMs: 2_000 * scale,
    statusMs: 5_000 * scale,
  };
}
