import type { BusStatus } from '../event-bus/running-bus.ts';
import type { RecentEvent } from '../events/event-recorder.ts';
import type { Pod } from '../pods/pod.ts';
import type { PodStatus } from '../pods/pod-status-types.ts';
import type { DefinitionProblem } from '../mappers/definition-folder.ts';
import type { MapperState } from '../mappers/mapper-supervisor.ts';
import type { DeviceView } from '../twins/twins.ts';

/**
 * What the admin socket answers, version 1: `GET /v1/status` and the like. Fields are added, never changed; a reader
 * ignores those that it does not know. Moments are RFC 3339, durations milliseconds, sizes bytes.
 */
export interface EdgeStatus {
  readonly node: {
    readonly name: string;
    readonly addresses: readonly string[];
    /** The condition Ready as it was last reported. */
    readonly ready: boolean;
    readonly message: string;
    readonly runtime: string;
    /** Pods by what is done about them: `sync`, `terminating`, `terminated`. */
    readonly pods: Readonly<Record<string, number>>;
  };
  readonly cluster: {
    /** The cluster that this node has accepted; absent: none yet. */
    readonly accepted?: ClusterName;
    /** Another one that a hub spoke for, and that waits for `hawser accept-cluster`. */
    readonly held?: ClusterName & { readonly why: string };
  };
  readonly session: {
    readonly state: SessionState;
    readonly since: string;
    /** While there is one. */
    readonly current?: {
      readonly id: string;
      readonly epoch: number;
      readonly transport: string;
      /** Address and port of the hub. */
      readonly hub: string;
      readonly hubSoftware: string;
      readonly roundTripMs?: number;
      readonly heartbeatMs: number;
    };
    /** Why there was no session the last time that there was none. */
    readonly lastError?: ReportedError;
    /** Attempts since the last session; 0 while there is one. */
    readonly attempts: number;
    /** The highest epoch ever. */
    readonly epoch: number;
  };
  readonly scopes: readonly ScopeStatus[];
  readonly outbox: {
    readonly waiting: number;
    readonly counters: Readonly<Record<string, number>>;
    readonly diskError?: string;
  };
  readonly tokens: { readonly kept: number; readonly missing: number; readonly expired: number };
  readonly store: StoreStatus;
  readonly certificate?: {
    readonly subject: string;
    readonly expires: string;
    /** When it will be renewed. */
    readonly renewal?: string;
    readonly lastError?: string;
  };
  /** What is wrong, and what to do about it; empty when nothing is. */
  readonly problems: readonly ReportedError[];
  readonly process: {
    readonly pid: number;
    readonly startedAt: string;
    readonly uptimeMs: number;
    readonly rssBytes: number;
    readonly heapBytes: number;
    readonly software: string;
    readonly node: string;
    readonly kubelet: string;
  };
}

/**
 * - `off`: no hub is configured; `connecting`: dialling; `waiting`: for the next attempt;
 * - `held`: the hub speaks for a cluster that this node has not accepted;
 * - `up`: there is a session.
 */
export type SessionState = 'off' | 'connecting' | 'waiting' | 'held' | 'up';

/** Names a cluster, and a life of it. */
export interface ClusterName {
  readonly clusterUid: string;
  readonly incarnation: string;
}

/** Something that went wrong. */
export interface ReportedError {
  /** A code of docs/errors.md. */
  readonly code: string;
  readonly message: string;
  /** What an operator can do. */
  readonly remedy?: string;
  readonly at?: string;
}

/** One scope of the replica. */
export interface ScopeStatus {
  readonly scope: string;
  readonly objects: number;
  readonly bytes: number;
  /** Whether the hub has said, in this session, that everything is there. */
  readonly synced: boolean;
  /** Removals that are held back until the hub confirms them. */
  readonly held: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** The store of the edge. */
export interface StoreStatus {
  readonly dir: string;
  readonly healthy: boolean;
  readonly sizeBytes: number;
  readonly limitBytes?: number;
  /** What it says of itself: damage that was repaired, a disk that refuses. */
  readonly messages: readonly string[];
}

/** One object of the replica, as a list shows it. */
export interface ObjectRow {
  readonly scope: string;
  /** `resource/namespace/name`. */
  readonly key: string;
  readonly resourceVersion: string;
  readonly hash: string;
  readonly sizeBytes: number;
}

/** `GET /v1/objects`. */
export interface ObjectList {
  readonly items: readonly ObjectRow[];
}

/** `GET /v1/objects/<key>`. The values of Secrets are not in it: only how long they are. */
export interface ObjectView extends ObjectRow {
  readonly object: unknown;
}

/** One pod that the edge is to run, as a list shows it. */
export interface PodRow {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** `Pending`, `Running`, `Succeeded`, `Failed`. */
  readonly phase: string;
  /** How it is, in one word: what `kubectl get pods` has under STATUS. */
  readonly state: string;
  /** Containers that are ready, of those that run beside each other. */
  readonly ready: number;
  readonly containers: number;
  readonly restarts: number;
  /** In the cluster. */
  readonly createdAt?: string;
  /** At this edge. */
  readonly startedAt?: string;
  readonly ip?: string;
  readonly images: readonly string[];
}

/** `GET /v1/pods`. */
export interface PodRows {
  readonly items: readonly PodRow[];
}

/** `GET /v1/pods/<namespace>/<name>`. */
export interface PodView extends PodRow {
  readonly node: string;
  /** Metadata and spec, as the store has them. */
  readonly pod: Pod;
  /** The last one that was made durable; absent: none yet. */
  readonly status?: PodStatus;
  /** The latest ones of this edge since its start, the oldest first. */
  readonly events: readonly RecentEvent[];
}

/** `GET /v1/devices`. One of them: `GET /v1/devices/<namespace>/<name>`, with `?watch=1` one a line after each change. */
export interface DeviceViews {
  readonly items: readonly DeviceView[];
}

/** `GET /v1/devices/<namespace>/<name>?read=1&property=…`: what the device has now. */
export interface DeviceReading {
  /** By property, as text. */
  readonly values: Readonly<Record<string, string>>;
}

/** `GET /v1/mappers`. */
export interface MapperRows {
  readonly items: readonly MapperState[];
  /** Definitions that cannot be used. */
  readonly problems: readonly DefinitionProblem[];
  /** The event bus, and where its clients connect to; absent: it is not open. */
  readonly bus?: BusStatus & { readonly url: string };
}

/** `POST /v1/accept-cluster`. */
export interface AcceptClusterAnswer {
  /** What was accepted; absent: nothing was held. */
  readonly accepted?: ClusterName;
}

/** Every answer that is no success. */
export interface AdminFailure {
  readonly error: { readonly code: string; readonly message: string };
}
