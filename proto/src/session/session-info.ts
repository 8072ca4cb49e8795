/** What both sides agreed on when a session began. */
export interface SessionInfo {
  readonly id: string;
  /** The edge node. */
  readonly node: string;
  /** Grows with every session of the node; the higher one fences the lower. */
  readonly epoch: number;
  /** Version of the session protocol. */
  readonly version: number;
  /** Features that both sides have. */
  readonly features: ReadonlySet<string>;
  readonly heartbeatMs: number;
  readonly clusterUid: string;
  /** Which life of the cluster this is; differs after a restore of its data. */
  readonly incarnation: string;
  /** Incarnations after which an operator has accepted the present one for all nodes. */
  readonly follows: readonly string[];
  /** Largest frame that the peer accepts, bytes. */
  readonly peerMaxFrameBytes: number;
  /** The peer's software and release. */
  readonly peerSoftware: string;
  /** At the edge: the hub's wall time at the welcome, milliseconds since the epoch. At the hub: 0. */
  readonly hubTimeMs: number;
  /** What the peer sent for resuming; opaque here. */
  readonly peerResumeState: Uint8Array;
}

/** Lowest and highest version of the session protocol that this release speaks. */
export const PROTOCOL_VERSIONS = { min: 1, max: 1 } as const;

/** The stream that carries a session's frames: the first one that the edge opens on a connection. */
export const SESSION_STREAM = 'session';
