import type { ApiClient } from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import type { ClusterView } from '../cache/cluster-view.ts';
import type { NodeKubelet } from '../cluster/node-kubelet.ts';
import type { DeviceGuard } from './device-guard.ts';
import type { DeviceResources } from './device-resources.ts';
import type { PodGuard } from './pod-guard.ts';
import type { UpstreamMetrics } from './upstream-metrics.ts';

/** What the writers work with. */
export interface WriterContext {
  readonly client: ApiClient;
  readonly view: ClusterView;
  readonly guard: PodGuard;
  readonly deviceGuard: DeviceGuard;
  readonly deviceResources: DeviceResources;
  /** The pool that a node has joined with, if any. */
  readonly poolOf: (node: string) => string | undefined;
  /** Where API servers reach the node's kubelet; undefined: not through this hub. */
  readonly kubeletOf: (node: string) => Promise<NodeKubelet | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: UpstreamMetrics;
}

/** Whose message it is, and how long it matters. */
export interface Origin {
  /** The node in the verified certificate. */
  readonly node: string;
  /** Aborts when the session ends: what has not begun, or would have to begin again, is given up. */
  readonly session: AbortSignal;
  /** Aborts when the hub stops: for calls that are under way. */
  readonly calls: AbortSignal;
}

/** Options of every call: the edge tries again, so the client does not; and nobody holds a place for long. */
export function callOptions(origin: Origin): { signal: AbortSignal; retries: number; timeoutMs: number } {
  return { signal: origin.calls, retries: 0, timeoutMs: 10_000 };
}
