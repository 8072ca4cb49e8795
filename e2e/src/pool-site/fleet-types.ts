/** Settings of a process of members. */
export interface FleetSettings {
  readonly hub: { readonly host: string; readonly port: number };
  /** A join token of the pool, good for all of them. */
  readonly token: string;
  /** Names of the nodes: prefix and a number. */
  readonly prefix: string;
  readonly count: number;
  /** A folder of its own. */
  readonly dir: string;
  /** Of the sessions with the hub, milliseconds. */
  readonly heartbeatMs: number;
  /** Whether they serve a local API, at ports from 21000 on. */
  readonly localApi: boolean;
}

/** How the members of a process are. */
export interface FleetState {
  /** Those that are in sync with the hub, with a pool or without. */
  readonly connected: number;
  /** Those that have everything, and go on having it. */
  readonly synced: number;
  readonly live: number;
  readonly direct: number;
  readonly leaders: readonly string[];
  readonly epoch: number;
  /** Different versions of EndpointSlices that they show. */
  readonly versions: readonly string[];
}

/** All members have shown an event to their readers. */
export interface FleetArrival {
  readonly version: string;
  /** Wall time with fractions, milliseconds. */
  readonly atMs: number;
}
