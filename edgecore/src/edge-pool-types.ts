import type { Clock, Logger, Random } from '@hawser/seams';
import type { Registry } from '@hawser/seams/metrics';
import type { Stream } from '@hawser/proto';
import type { Outbox, UpstreamRequests } from '@hawser/sync';
import type { EdgeConfig } from './config/options.ts';
import type { EventRecorder } from './events/event-recorder.ts';
import type { ScopeFollower } from './hub/scope-following.ts';
import type { NodeIdentity } from './identity/node-identity.ts';
import type { TrustedClock } from './identity/trusted-clock.ts';
import type { ConnectionTaker, LazyLocalApi } from './local-api/lazy-local-api.ts';
import type { NodeReporter } from './node/node-reporter.ts';
import type { PodManager } from './pods/pod-manager.ts';
import type { PodStatuses } from './pods/pod-statuses.ts';
import type { PoolStatus } from './pool/pool-types.ts';
import type { EdgeStore } from './store/edge-store.ts';

/** What `makeEdgePool` needs. */
export interface EdgePoolOptions {
  readonly node: string;
  readonly config: EdgeConfig;
  readonly identity: NodeIdentity;
  readonly time: TrustedClock;
  /** The node's own scope. */
  readonly scope: string;
  readonly store: EdgeStore;
  readonly pods: PodManager;
  readonly statuses: PodStatuses;
  readonly reporter: NodeReporter;
  readonly outbox: Outbox;
  readonly requests: UpstreamRequests;
  /** The session with the hub. */
  readonly hub: PoolHub;
  /** The ports of the local API. */
  readonly localApi: Pick<LazyLocalApi, 'certificate' | 'port' | 'podAddress'>;
  readonly events: EventRecorder;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random | undefined;
  readonly log: Logger;
}

/** What a pool needs of the session with the hub. */
export interface PoolHub extends ScopeFollower {
  /** Whether there is a session whose cluster is accepted. */
  readonly usable: boolean;
  /** Monotonic, milliseconds: when something was last heard of the hub; `-Infinity`: never. */
  readonly heardMs: number;
  /** Asks for a sign of life; resolves when one came, rejects when the session ends. */
  ping(): Promise<void>;
  /** Opens a stream to the hub, such as `api`. Rejects without a session. */
  openStream(kind: string, signal?: AbortSignal): Promise<Stream>;
  /** Cluster and incarnation of the present or last session; undefined: none yet. */
  readonly life: { readonly clusterUid: string; readonly incarnation: string } | undefined;
}

/** Pool member, local API and DNS of this node. */
export interface EdgePool {
  /** Resolves once the replicas are there as the disk has them, and the ports are open. Called once. */
  start(): Promise<void>;
  /** Says farewell to the pool, writes snapshots. Idempotent. */
  stop(): Promise<void>;
  /** What answers connections to the local API; a node without a pool begins to read what pools share. */
  localApi(): Promise<ConnectionTaker>;
  /** The session with the hub may be used, or not any more. */
  setConnected(connected: boolean): void;
  /** undefined: the node is in no pool. */
  status(): PoolStatus | undefined;
  problems(): readonly { readonly code: string; readonly message: string }[];
}
