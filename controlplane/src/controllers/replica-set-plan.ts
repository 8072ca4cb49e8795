import {
  isPodActive,
  isPodAvailable,
  isPodReady,
  withCondition,
  type Condition,
  type Pod,
} from '../api/pod.ts';
import type { ReplicaSet, ReplicaSetStatus } from '../api/workloads.ts';

/** Pods that one pass may create or delete. Source: kubernetes replicaset BurstReplicas. */
export const BURST_REPLICAS = 500;

/** What a ReplicaSet lacks or has too much of. */
export interface ReplicaPlan {
  readonly create: number;
  /** The first to go first. */
  readonly remove: readonly Pod[];
}

/** How many pods to make, and which to delete. `pods`: those that the set owns. */
export function planReplicas(set: ReplicaSet, pods: readonly Pod[]): ReplicaPlan {
  const active = pods.filter(isPodActive);
  const difference = set.spec.replicas - active.length;
  if (difference >= 0) return { create: Math.min(difference, BURST_REPLICAS), remove: [] };
  const count = Math.min(-difference, BURST_REPLICAS);
  return { create: 0, remove: rankForDeletion(active).slice(0, count) };
}

const PHASES = ['Pending', 'Unknown', 'Running'];
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/**
 * Pods in the order in which they are deleted: without a node, not running, not ready, cheap, in company on their
 * node, ready for a shorter time, restarted more often, younger.
 * Source: kubernetes pkg/controller ActivePodsWithRanks.
 */
export function rankForDeletion(pods: readonly Pod[]): Pod[] {
  const perNode = new Map<string, number>();
  for (const { spec } of pods) {
    const node = spec.nodeName ?? '';
    if (node !== '') perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  const ranks = new Map(
    pods.map((pod) => {
      const node = pod.spec.nodeName ?? '';
      const rank = [
        node === '' ? 0 : 1,
        PHASES.indexOf(pod.status?.phase ?? 'Pending'),
        isPodReady(pod) ? 1 : 0,
        deletionCost(pod),
        -(perNode.get(node) ?? 0),
        -readySinceMs(pod),
        -restarts(pod),
        -Date.parse(pod.metadata.creationTimestamp ?? ''),
      ];
      return [pod, rank] as const;
    }),
  );
  return [...pods].sort((a, b) => compareRanks(ranks.get(a), ranks.get(b)));
}

function compareRanks(a: readonly number[] = [], b: readonly number[] = []): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return 0;
}

function deletionCost(pod: Pod): number {
  const cost = Number(pod.metadata.annotations?.[DELETION_COST] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
}

function readySinceMs(pod: Pod): number {
  const ready = pod.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True');
  const sinceMs = Date.parse(ready?.lastTransitionTime ?? '');
  return Number.isNaN(sinceMs) ? 0 : sinceMs;
}

function restarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount = 0 }) => restartCount));
}

/** What stands in the way of creating or deleting pods. */
export interface ReplicaFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/**
 * The status of a ReplicaSet. `pods`: those that it owns; `now`: as objects carry it.
 * Source: kubernetes pkg/controller/replicaset calculateStatus.
 */
export function replicaSetStatus(
  set: ReplicaSet,
  pods: readonly Pod[],
  failure: ReplicaFailure | undefined,
  clock: { readonly now: string; readonly nowMs: number },
): ReplicaSetStatus {
  const active = pods.filter(isPodActive);
  const labels = Object.entries(set.spec.template.metadata?.labels ?? {});
  const { minReadySeconds = 0 } = set.spec;
  const conditions = failureConditions(set.status?.conditions, failure, clock.now);
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(({ metadata }) =>
      labels.every(([key, value]) => metadata.labels?.[key] === value),
    ).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => isPodAvailable(pod, minReadySeconds, clock.nowMs)).length,
    observedGeneration: set.metadata.generation ?? 0,
    ...(conditions.length > 0 && { conditions }),
  };
}

function failureConditions(
  old: readonly Condition[] | undefined,
  failure: ReplicaFailure | undefined,
  now: string,
): readonly Condition[] {
  const present = old?.find(({ type }) => type === 'ReplicaFailure');
  if (failure === undefined) return (old ?? []).filter((condition) => condition !== present);
  if (present !== undefined) return old ?? [];
  return withCondition(old, { type: 'ReplicaFailure', status: 'True', ...failure, lastTransitionTime: now });
}
