import type { PodContainer, Quantities } from './pod.ts';

/** `PodStatus` as the API has it, as far as an edge fills it in. Source: core/v1 PodStatus. */
export interface PodStatus {
  readonly phase: PodPhase;
  readonly observedGeneration?: number;
  readonly conditions: readonly PodCondition[];
  /** Why the pod is in its phase: `DeadlineExceeded`, the reason of a refusal. */
  readonly reason?: string;
  readonly message?: string;
  readonly hostIP?: string;
  readonly hostIPs?: readonly { readonly ip: string }[];
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  /** When this node took the pod. */
  readonly startTime: string;
  /** By name. */
  readonly containerStatuses: readonly ContainerStatus[];
  /** In the order of the spec. */
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly qosClass: string;
}

/** Where a pod is in its life; the last two are final. Source: core/v1 PodPhase. */
export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** Source: core/v1 PodCondition. */
export interface PodCondition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** Source: core/v1 ContainerStatus. */
export interface ContainerStatus {
  readonly name: string;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly image: string;
  readonly imageID: string;
  /** `<runtime>://<id>`. */
  readonly containerID?: string;
  /** Requests that the container was given. */
  readonly allocatedResources?: Quantities;
  readonly resources?: NonNullable<PodContainer['resources']>;
  readonly volumeMounts?: readonly VolumeMountStatus[];
}

/** Source: core/v1 VolumeMountStatus. */
export interface VolumeMountStatus {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  readonly recursiveReadOnly?: 'Disabled' | 'Enabled';
}

/** Source: core/v1 ContainerState. At most one of them. */
export interface ContainerState {
  readonly waiting?: Waiting;
  readonly running?: { readonly startedAt: string };
  readonly terminated?: TerminatedState;
}

/** Why a container does not run yet. Source: core/v1 ContainerStateWaiting. */
export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/** Source: core/v1 ContainerStateTerminated. What is not known of a lost container is absent. */
export interface TerminatedState {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly containerID?: string;
}

/** Whether a phase is the last one of a pod. */
export function isOver(phase: PodPhase | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** What a status says of a container, init container or not. */
export function statusOf(status: PodStatus | undefined, name: string): ContainerStatus | undefined {
  const isIt = (one: ContainerStatus): boolean => one.name === name;
  return status?.containerStatuses.find(isIt) ?? status?.initContainerStatuses?.find(isIt);
}

/** A moment as the API writes it: RFC 3339, whole seconds. */
export function apiTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
