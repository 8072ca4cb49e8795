/** What the view shows: a snapshot, made once a second. */
export interface DemoState {
  /** Since the start of the program. */
  readonly elapsedMs: number;
  readonly steps: readonly StepState[];
  readonly edges: readonly EdgeRow[];
  readonly pods: readonly PodLine[];
  readonly devices: readonly DeviceLine[];
  /** Undefined: nobody knows of one yet. */
  readonly pool: PoolLine | undefined;
  /** The oldest first. */
  readonly log: readonly string[];
  /** What to type in another terminal; empty until the demonstration is over. */
  readonly hints: readonly string[];
}

/** A part of the demonstration. */
export interface StepState {
  readonly name: string;
  readonly state: 'open' | 'now' | 'done' | 'left-out';
}

/** An edge, as the cluster and itself see it. */
export interface EdgeRow {
  readonly name: string;
  /** The Node's condition Ready; undefined: there is no Node. */
  readonly ready: boolean | undefined;
  /** `up`, `connecting`, `waiting`, `held`, `off`; `stopped` without a process. */
  readonly session: string;
  /** Why there is no session; an error code. */
  readonly why?: string;
  readonly transport?: string;
  readonly roundTripMs?: number;
  /** Bytes on its line since its beginning, both transports, headers left out. */
  readonly up: number;
  readonly down: number;
  /** In the last second. */
  readonly upPerSecond: number;
  readonly downPerSecond: number;
  /** How it stands to its pool: `leader`, `LIVE`, `STALE` …; undefined: nothing is known. */
  readonly pool?: string;
}

/** A pod, as the cluster sees it. */
export interface PodLine {
  readonly name: string;
  readonly node: string;
  readonly status: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly ip: string;
}

/** A property of a device, as the cluster sees it. */
export interface DeviceLine {
  readonly device: string;
  readonly node: string;
  readonly state: string;
  readonly property: string;
  readonly desired?: string;
  readonly reported?: string;
}

/** The pool, as a member sees it. */
export interface PoolLine {
  readonly name: string;
  /** Empty: none. */
  readonly leader: string;
  readonly epoch: number;
  readonly members: number;
  /** Those that get everything. */
  readonly live: number;
}
