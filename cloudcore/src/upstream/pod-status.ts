import { formatTime, type JsonObject } from '@hawser/kube';
import { conditionsOf, settleTransition, type Condition } from './conditions.ts';

/** Fields of a PodStatus that a node says. What others say (scheduler, claims, quality class) stays. */
const NODE_FIELDS = [
  'phase',
  'reason',
  'message',
  'startTime',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'resize',
  'observedGeneration',
  'allocatedResources',
  'resources',
];
/** Source: kubernetes pkg/kubelet/types pod_status.go PodConditionByKubelet. */
const NODE_CONDITIONS = new Set([
  'PodScheduled',
  'Ready',
  'Initialized',
  'ContainersReady',
  'PodReadyToStartContainers',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
]);
const SCHEDULED = 'PodScheduled';
const DISRUPTION = 'DisruptionTarget';
const TERMINAL = new Set<unknown>(['Succeeded', 'Failed']);

/** Whether a pod in this phase has ended for good. */
export function isTerminalPhase(phase: unknown): boolean {
  return TERMINAL.has(phase);
}

/**
 * The status that a pod is to have: the node's fields and conditions as reported, everything else as it is. Readiness
 * gates and what controllers say stay; so does that a pod was scheduled, where the node does not mention it.
 * Source: kubernetes pkg/kubelet/status status_manager.go mergePodStatus.
 * @param nowMs wall time of the hub
 */
export function mergePodStatus(live: JsonObject, reported: JsonObject, nowMs: number): JsonObject {
  const merged = Object.entries(live).filter(([key]) => !NODE_FIELDS.includes(key) && key !== 'conditions');
  for (const key of NODE_FIELDS) if (reported[key] !== undefined) merged.push([key, reported[key]]);
  const conditions = mergeConditions(live, reported, nowMs);
  if (conditions.length > 0) merged.push(['conditions', conditions]);
  return Object.fromEntries(merged);
}

/** In the order that they have, so that an order of the edge's own makes no difference. */
function mergeConditions(live: JsonObject, reported: JsonObject, nowMs: number): Condition[] {
  const now = formatTime(nowMs);
  const said = new Map<string, Condition>();
  for (const condition of conditionsOf(reported)) {
    if (isNodes(condition, reported)) said.set(condition.type, condition);
  }
  const merged: Condition[] = [];
  for (const condition of conditionsOf(live)) {
    const newer = said.get(condition.type);
    said.delete(condition.type);
    if (newer !== undefined) merged.push(settleTransition(condition, newer, nowMs, now));
    else if (!NODE_CONDITIONS.has(condition.type) || condition.type === SCHEDULED) merged.push(condition);
  }
  for (const condition of said.values()) merged.push(settleTransition(undefined, condition, nowMs, now));
  return merged;
}

/** A node may say that it was disrupted when it ended the pod itself. Source: PodConditionSharedByKubelet. */
function isNodes({ type, reason }: Condition, status: JsonObject): boolean {
  if (NODE_CONDITIONS.has(type)) return true;
  return type === DISRUPTION && reason === 'TerminationByKubelet' && isTerminalPhase(status['phase']);
}
