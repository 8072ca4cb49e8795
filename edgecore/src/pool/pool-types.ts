import type { PoolResource, PoolRoster, PoolView } from '@hawser/sync';

/** How a member stands to the rest of its pool; docs/pool.md, "The member". */
export type PoolState = 'LIVE' | 'GRACE' | 'DIRECT' | 'STALE';

/** What the readers of a pool see: the local API and the DNS server. Solo nodes have one too. */
export interface PoolReader {
  /** `~<node>` for a node without a pool; empty: nothing is known yet. */
  readonly pool: string;
  /** The last roster; undefined: none, as at a solo node. */
  readonly roster: PoolRoster | undefined;
  /** Whether the cloud can be heard, by this node or by its leader. */
  readonly cloud: boolean;
  /** What is shared, by its name in keys and scopes (`endpointslices.discovery.k8s.io`), the system's own included. */
  resources(): ReadonlyMap<string, PoolResource>;
  /** The replica of a resource; undefined: it is not shared here. */
  view(resource: string): PoolView | undefined;
  /** Addresses that pods have now by the word of nodes; empty while the cloud is heard. */
  overlay(): PodPlaces;
  /** Calls when resources have come or gone, with a new roster, when `cloud` turns, and when the overlay is another. Answers how to stop. */
  listen(listener: () => void): () => void;
}

/**
 * By pod UID, what nodes say of it. A node may say what it likes: its word counts for the pods that the cloud knows at it,
 * and keeps nobody else's away.
 */
export type PodPlaces = ReadonlyMap<string, readonly PodAddress[]>;

/** Where a pod is, by the word of a node. */
export interface PodAddress {
  readonly node: string;
  /** IPs, the first one first. */
  readonly ips: readonly string[];
  readonly ready: boolean;
}

/** `GET /v1/pool`: what `hawser pool status` shows. */
export interface PoolStatus {
  readonly pool: string;
  readonly node: string;
  readonly state: PoolState;
  /** RFC 3339. */
  readonly since: string;
  /** Node; empty: none. */
  readonly leader: string;
  /** Whether the leader was chosen by the pool itself. */
  readonly provisional: boolean;
  readonly epoch: number;
  /** Seconds since the cloud was last heard, by this node or its leader; undefined: never. */
  readonly ageSeconds?: number;
  readonly members: readonly {
    readonly name: string;
    readonly endpoint: string;
    readonly eligible: boolean;
    /** What it last said of itself; absent: nothing is known. */
    readonly state?: PoolState;
    /** Seconds since it was last heard of. */
    readonly heardSeconds?: number;
    readonly version?: string;
  }[];
  readonly resources: readonly {
    readonly name: string;
    /** resourceVersion; empty: none yet. */
    readonly version: string;
    readonly objects: number;
    readonly bytes: number;
    /** Where it comes from now: the cloud, a leader, or its snapshot. */
    readonly source: 'cloud' | 'leader' | 'snapshot' | 'none';
    readonly synced: boolean;
  }[];
  /** What keeps it from being well, with codes of docs/errors.md. */
  readonly problems: readonly {
    readonly code: string;
    readonly message: string;
    /** What an operator can do; the admin socket adds it. */
    readonly remedy?: string;
  }[];
}
