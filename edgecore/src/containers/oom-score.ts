import { bytesOf } from '../cgroups/pod-amounts.ts';
import { isSidecar, type Pod, type PodContainer } from '../pods/pod.ts';
import { qosClass } from '../pods/qos-class.ts';

const GUARANTEED = -997;
const BEST_EFFORT = 1000;
/** Priority from which a pod is critical. Source: scheduling.SystemCriticalPriority. */
const CRITICAL_PRIORITY = 2_000_000_000;

/**
 * How soon a kernel short of memory kills a container: the smaller the part of the node's memory that it has asked for,
 * the sooner. What is guaranteed, or critical for the node, goes last, best effort first.
 * @param memoryBytes of the node
 * @returns −997 to 1000
 * Source: kubelet, qos/policy.go GetContainerOOMScoreAdjust; Kubernetes, "Node-pressure Eviction", node out of memory.
 */
export function oomScoreAdj(pod: Pod, container: PodContainer, memoryBytes: number): number {
  const { priority = 0, priorityClassName } = pod.spec;
  if (priority >= CRITICAL_PRIORITY && priorityClassName === 'system-node-critical') return GUARANTEED;
  const qos = qosClass(pod);
  if (qos === 'Guaranteed') return GUARANTEED;
  if (qos === 'BestEffort') return BEST_EFFORT;
  const score = scoreOf(memoryRequest(container), memoryBytes);
  // A sidecar is not to go before what it serves.
  const least = Math.min(...pod.spec.containers.map(memoryRequest));
  const served = isSidecar(container) ? Math.min(score, scoreOf(least, memoryBytes)) : score;
  return Math.min(Math.max(served, BEST_EFFORT + GUARANTEED), BEST_EFFORT - 1);
}

function scoreOf(requestBytes: number, memoryBytes: number): number {
  return 1000 - Math.floor((1000 * requestBytes) / memoryBytes);
}

/** As the API server has filled it in: a request that is not said is the limit. */
function memoryRequest({ resources = {} }: PodContainer): number {
  return bytesOf(resources.requests?.['memory'] ?? resources.limits?.['memory']);
}
