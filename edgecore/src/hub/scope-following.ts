import type { ScopeReplica } from '@hawser/sync';

/** How a scope of a pool is followed. */
export interface FollowOptions {
  /** The epoch in which this node leads the pool; 0: it does not. */
  readonly epoch: number;
  /** By a grant of the hub, without the leader. */
  readonly direct: boolean;
  /**
   * It is over, by the hub's word or with the session; not after {@link Following.end}. The code is the hub's
   * (`ERR_CLOUDCORE_NOT_LEADER` …), one of sync's, or that of the session's end.
   */
  readonly onEnded: (code: string, message: string) => void;
}

/** A scope that is followed in the present session. */
export interface Following {
  /** Unsubscribes. Idempotent. */
  end(): void;
}

/** What follows scopes beside the node's own: the session with the hub, one with a leader. */
export interface ScopeFollower {
  /** Follows the scope of the replica for as long as the present session lasts; undefined: there is none that is trusted. */
  follow(replica: ScopeReplica, options: FollowOptions): Following | undefined;
}
