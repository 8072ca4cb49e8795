/** What a member has done since it was started; read by metrics. */
export interface PoolCounters {
  /** Times that this node began to lead: by the hub's word, and by the pool's. */
  takeovers: { appointed: number; provisional: number };
  /** Times that a leader's states were refused. */
  refusals: number;
  /** Times that the member went without a leader. */
  directs: number;
  /** Bytes of contents that were committed, by where they came from. */
  receivedBytes: { cloud: number; leader: number; snapshot: number };
  /** Bytes of changes that travelled on the LAN. */
  lanBytes: { in: number; out: number };
  /** Snapshots written, their bytes, and those that failed. */
  snapshots: { written: number; bytes: number; failed: number };
}

/** All at nothing. */
export function poolCounters(): PoolCounters {
  return {
    takeovers: { appointed: 0, provisional: 0 },
    refusals: 0,
    directs: 0,
    receivedBytes: { cloud: 0, leader: 0, snapshot: 0 },
    lanBytes: { in: 0, out: 0 },
    snapshots: { written: 0, bytes: 0, failed: 0 },
  };
}
