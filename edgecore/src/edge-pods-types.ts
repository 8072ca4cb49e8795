import type { Clock, Logger } from '@hawser/seams';
import type { Registry } from '@hawser/seams/metrics';
import type { EdgeConfig } from './config/options.ts';
import type { ApiForPods } from './local-api/api-for-pods.ts';
import type { NodeImage } from './images/node-images.ts';
import type { PodEvents } from './pods/pod-events.ts';
import type { PodParts } from './pods/pod-parts.ts';
import type { PodStatuses } from './pods/pod-statuses.ts';
import type { Pod, Quantities } from './pods/pod.ts';
import type { ContainerRuntime } from './runtime/container-runtime.ts';
import type { JsonState } from './state/json-state.ts';
import type { EdgeStore } from './store/edge-store.ts';
import type { TokenManager } from './tokens/token-manager.ts';

/** What `makeEdgePods` needs. What is a function is asked when it is needed: it is there later than this. */
export interface EdgePodsOptions {
  readonly node: string;
  readonly config: EdgeConfig;
  readonly scope: string;
  readonly store: EdgeStore;
  readonly state: JsonState;
  readonly events: PodEvents;
  readonly runtime: ContainerRuntime;
  readonly statuses: PodStatuses;
  readonly tokens: () => Pick<TokenManager, 'get'>;
  /** Addresses of the node, first one first. */
  readonly hostIps: () => readonly string[];
  /** What the node has for pods, as in its status. */
  readonly allocatable: () => Quantities;
  /** Every pod that the node is to have; undefined: it cannot be told now. */
  readonly allPods: () => readonly Pod[] | undefined;
  /** A pod may go on. */
  readonly wake: (uid: string) => void;
  /** A pod has taken more than it may. */
  readonly evict: (uid: string, message: string) => void;
  /** Something went wrong with the node, for an Event of it. */
  readonly onNodeEvent: (reason: string, message: string) => void;
  /** What pods are told of the local API; absent: nothing. */
  readonly apiForPods?: ApiForPods | undefined;
  readonly registry: Registry;
  /** Something of the node's status is another one. */
  readonly onNode: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What pods need beside a runtime, and what keeps the node tidy. */
export interface EdgePods {
  readonly parts: PodParts;
  /** Images for the status of the node; absent: not told. */
  readonly images?: () => readonly NodeImage[];
  /** The pod has another token than before. */
  tokenChanged(uid: string): void;
  /** Begins to tidy. Idempotent. */
  start(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}
