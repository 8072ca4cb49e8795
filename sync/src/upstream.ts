import { pack } from './codec/pack.ts';
import { SyncError } from './errors.ts';

/** Largest body of an Upstream, unpacked, in bytes: above what any status is that the API takes well. */
export const MAX_UPSTREAM_BYTES = 512 * 1024;

/**
 * Packs a body; the side that sends keeps to the bound of the one that takes.
 * @throws SyncError `ERR_SYNC_TOO_LARGE`
 */
export function packUpstream(body: UpstreamBodies[UpstreamKind]): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(body));
  if (bytes.length <= MAX_UPSTREAM_BYTES) return pack(bytes);
  const message = `a report of ${bytes.length} bytes, most ${MAX_UPSTREAM_BYTES}`;
  throw new SyncError('ERR_SYNC_TOO_LARGE', message);
}

/** A value of a twin, as devices.kubeedge.io has it. */
export interface UpstreamTwinValue {
  readonly value: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** One twin, as `Device.status.twins` has it. */
export interface UpstreamTwin {
  readonly propertyName: string;
  readonly reported?: UpstreamTwinValue;
  readonly observedDesired?: UpstreamTwinValue;
}

/** A desired value that was set at the edge. */
export interface UpstreamSetting extends UpstreamTwinValue {
  readonly property: string;
  /**
   * Made at the edge, another one for each setting: 8 to 64 letters, digits, dots, dashes and underscores. The hub decides
   * a setting once, and knows one that comes again by this. Absent: only values tell.
   */
  readonly id?: string;
  /** The desired value of the Device object that it was set over; absent: there was none. */
  readonly over?: UpstreamTwinValue;
}

/**
 * What an edge reports, and asks for. Bodies are JSON, packed (`packJson`); the hub checks every one of them against
 * the node in the edge's certificate.
 */
export interface UpstreamBodies {
  /** The node itself. Created if it is not there. Latest wins, key `node`. */
  readonly node: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    /** Taints for the registration only. */
    readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
    /** `NodeStatus` as the API has it, without the heartbeat times of its conditions. */
    readonly status: Readonly<Record<string, unknown>>;
  };
  /** Status of a pod that is bound to the node. Latest wins, key `pod/<namespace>/<name>/<uid>`. */
  readonly pod: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    /** `PodStatus` as the API has it. */
    readonly status: Readonly<Record<string, unknown>>;
  };
  /** A pod that was to be deleted has ended here: the object may go. Key `pod-gone/<namespace>/<name>/<uid>`. */
  readonly 'pod-gone': { readonly namespace: string; readonly name: string; readonly uid: string };
  /** A Kubernetes Event about an object of this node. Key `event/<number>`. */
  readonly event: {
    /** UID made at the edge: a repeated delivery makes no second Event. */
    readonly id: string;
    readonly regarding: {
      readonly kind: string;
      readonly apiVersion: string;
      readonly namespace?: string;
      readonly name: string;
      readonly uid?: string;
      readonly fieldPath?: string;
    };
    readonly type: 'Normal' | 'Warning';
    readonly reason: string;
    readonly message: string;
    readonly count: number;
    /** RFC 3339. */
    readonly firstTimestamp: string;
    readonly lastTimestamp: string;
    readonly component: string;
  };
  /** What the edge says of itself: a guard that holds, a pod that it refuses. Key `report/<number>`. */
  readonly report: { readonly code: string; readonly message: string; readonly at: string };
  /**
   * All twins of a device of this node, how it is, and what keeps it from working. Latest wins, key
   * `device/<namespace>/<name>/<uid>`.
   */
  readonly device: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly twins: readonly UpstreamTwin[];
    /** How the device is. Absent: what is there stays. */
    readonly state?: 'ok' | 'online' | 'offline' | 'unhealthy' | 'unknown';
    /** When it last answered, RFC 3339. Absent: what is there stays. */
    readonly lastOnlineTime?: string;
    /** Becomes the condition `Served`. Absent: what is there stays. `reason` is a word as conditions have it. */
    readonly served?: {
      readonly status: 'True' | 'False' | 'Unknown';
      readonly reason: string;
      readonly message: string;
    };
  };
  /**
   * Desired values that were set at the edge: all that the cloud has not taken yet of this device. Latest wins, kept; key
   * `device-setting/<namespace>/<name>/<uid>`. Written where the Device still has what they were set over.
   */
  readonly 'device-setting': {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    /** One for each property, at least one. */
    readonly settings: readonly UpstreamSetting[];
  };
  /** What a program at the edge published for the cloud. Key `upload/<number>`; the oldest go where there are too many. */
  readonly upload: {
    readonly topic: string;
    /** Base64. */
    readonly payload: string;
    /** When it was published, RFC 3339. */
    readonly at: string;
  };
  /** How a member of a pool is, as far as the hub chooses leaders by it. Latest wins, volatile, key `pool-report/<pool>`. */
  readonly 'pool-report': {
    readonly pool: string;
    /** `address:port` at which peers reach it; empty: its port is not open. */
    readonly endpoint: string;
    /** The highest epoch of the pool that it has seen. */
    readonly epoch: number;
    /** The highest resourceVersion that its replicas show; empty: none. */
    readonly version: string;
    /** Whether all replicas are complete. */
    readonly complete: boolean;
    /** Whether its disk takes writes. */
    readonly writable: boolean;
    /** Peers that it has a link with now. */
    readonly peers: number;
    /** It leads and does not want to any more: another one is to be chosen at once. */
    readonly resign?: true;
  };
  /** Asks to lead a pool, whose leader is away. Not kept in the outbox. */
  readonly 'pool-claim': {
    readonly pool: string;
    /** The epoch of the leader that is away. */
    readonly epoch: number;
    /** For how long nothing was heard of it, milliseconds; 0: it hands over. */
    readonly silentMs: number;
  };
  /** Asks for leave to read a pool's resources without its leader. Not kept in the outbox. */
  readonly 'pool-direct': { readonly pool: string };
  /** Asks for a token of a service account, for a pod of this node. Not kept in the outbox. */
  readonly 'token-request': {
    readonly namespace: string;
    readonly serviceAccount: string;
    readonly podName: string;
    readonly podUid: string;
    readonly audiences: readonly string[];
    readonly expirationSeconds: number;
  };
  /** Asks for a new certificate for the same node. Not kept in the outbox. */
  readonly 'certificate-renewal': { readonly csr: string };
}

/** Kinds of Upstream. */
export type UpstreamKind = keyof UpstreamBodies;

/** Answers to the kinds that ask for something: JSON, packed, in `UpstreamAck.body`. */
export interface UpstreamAnswers {
  readonly 'token-request': {
    readonly token: string;
    /** RFC 3339. */
    readonly expirationTimestamp: string;
  };
  /** How the pool is led after the claim, whoever leads it. */
  readonly 'pool-claim': { readonly epoch: number; readonly leader: string };
  readonly 'pool-direct': {
    /** When it may begin, milliseconds from now. */
    readonly afterMs: number;
    /** For how long from then on; to be asked for again before. */
    readonly forMs: number;
  };
  readonly 'certificate-renewal': {
    /** PEM. */
    readonly certificate: string;
    /** PEM of every authority that the edge shall trust. */
    readonly authorities: string;
  };
}
