import type { KubeObject } from '@hawser/kube';

/** `spec.tolerations[]` of a pod. Source: core/v1 Toleration. */
export interface Toleration {
  readonly key?: string;
  /** `Equal` (default) or `Exists`. */
  readonly operator?: string;
  readonly value?: string;
  /** Absent: every effect. */
  readonly effect?: string;
  /** Of NoExecute only; absent: for ever. */
  readonly tolerationSeconds?: number;
}

/** Amounts by resource name, as quantities. */
export type ResourceList = Readonly<Record<string, string>>;

/** A container, so far as controllers read it. Source: core/v1 Container. */
export interface Container {
  readonly name: string;
  readonly image?: string;
  /** `Always` on an init container makes it run beside the others. */
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: ResourceList; readonly limits?: ResourceList };
  readonly ports?: readonly {
    readonly containerPort: number;
    readonly name?: string;
    readonly hostPort?: number;
    readonly hostIP?: string;
    readonly protocol?: string;
  }[];
}

/** One requirement of a node selector. Source: core/v1 NodeSelectorRequirement. */
export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** One of the terms of a node selector, which are alternatives. Source: core/v1 NodeSelectorTerm. */
export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  readonly matchFields?: readonly NodeSelectorRequirement[];
}

/** `spec.affinity.nodeAffinity`. Source: core/v1 NodeAffinity. */
export interface NodeAffinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: {
    readonly nodeSelectorTerms: readonly NodeSelectorTerm[];
  };
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
    readonly weight: number;
    readonly preference: NodeSelectorTerm;
  }[];
}

/** `spec` of a pod, so far as controllers read it. Source: core/v1 PodSpec. */
export interface PodSpec {
  readonly nodeName?: string;
  readonly schedulerName?: string;
  readonly schedulingGates?: readonly { readonly name: string }[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: { readonly nodeAffinity?: NodeAffinity; readonly [kind: string]: unknown };
  readonly tolerations?: readonly Toleration[];
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly overhead?: ResourceList;
  readonly hostNetwork?: boolean;
  readonly priority?: number;
  readonly restartPolicy?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly [field: string]: unknown;
}

/** A condition of any object's status. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  /** RFC 3339. */
  readonly lastTransitionTime?: string | null;
  readonly [field: string]: unknown;
}

/** `status` of a pod, so far as controllers read it. Source: core/v1 PodStatus. */
export interface PodStatus {
  readonly phase?: string;
  readonly conditions?: readonly Condition[];
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly startTime?: string | null;
  readonly containerStatuses?: readonly { readonly name: string; readonly restartCount?: number }[];
  readonly [field: string]: unknown;
}

/** A pod. */
export interface Pod extends KubeObject {
  readonly spec: PodSpec;
  readonly status?: PodStatus;
}

/** `spec.template` of what makes pods. Source: core/v1 PodTemplateSpec. */
export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly [field: string]: unknown;
  };
  readonly spec: PodSpec;
}

/** The condition of that type. */
export function conditionOf(
  object: { readonly status?: { readonly conditions?: readonly Condition[] } },
  type: string,
): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

/** Whether the pod's Ready condition holds. */
export function isPodReady(pod: Pod): boolean {
  return conditionOf(pod, 'Ready')?.status === 'True';
}

/**
 * Whether the pod has been ready for `minReadySeconds`. Source: kubernetes pkg/api/v1/pod IsPodAvailable.
 */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return availableInMs(pod, minReadySeconds, nowMs) === 0;
}

/** Milliseconds until the pod counts as available if it stays ready; undefined while it is not ready. */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = conditionOf(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  const sinceMs = Date.parse(ready.lastTransitionTime ?? '');
  if (Number.isNaN(sinceMs)) return undefined;
  return Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

/** Whether the pod has ended by itself. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Whether the pod runs, or will. Source: kubernetes pkg/controller IsPodActive. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** The conditions with one put in the place of the one of its type. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  condition: Condition,
): Condition[] {
  const others = conditions ?? [];
  const index = others.findIndex(({ type }) => type === condition.type);
  return index === -1 ? [...others, condition] : others.with(index, condition);
}
