import { NODE_TAINTS, type Node } from '../api/node.ts';
import type { Pod } from '../api/pod.ts';
import { tolerates, untoleratedTaint } from '../api/tolerations.ts';
import { matchesNodeSelection } from './node-selector.ts';
import { nodeAllocatable, podRequests, type Amounts } from './pod-requests.ts';

/** A node with the pods that are on it, or are about to be. */
export interface NodeState {
  readonly node: Node;
  readonly pods: readonly Pod[];
}

/** Why a node cannot take a pod, in the words of kube-scheduler; one node may have several reasons. */
export type Reasons = readonly string[];

const UNSCHEDULABLE_TAINT = { key: NODE_TAINTS.unschedulable, effect: 'NoSchedule' };

/**
 * Why a node cannot take the pod; empty if it can. As with kube-scheduler, the first filter that refuses speaks, and
 * resources give a reason each. Source: kubernetes pkg/scheduler/framework/plugins, in their default order.
 */
export function refusals(pod: Pod, state: NodeState): Reasons {
  const { node } = state;
  const tolerations = pod.spec.tolerations ?? [];
  const cordoned = node.spec?.unschedulable === true;
  if (cordoned && !tolerations.some((toleration) => tolerates(toleration, UNSCHEDULABLE_TAINT))) {
    return ['node(s) were unschedulable'];
  }
  const taint = untoleratedTaint(node.spec?.taints ?? [], tolerations, ['NoSchedule', 'NoExecute']);
  if (taint !== undefined) return [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`];
  if (!matchesNodeSelection(pod.spec, node)) return ["node(s) didn't match Pod's node affinity/selector"];
  if (portsCollide(pod, state.pods)) return ["node(s) didn't have free ports for the requested pod ports"];
  return resourceRefusals(pod, state);
}

function resourceRefusals(pod: Pod, { node, pods }: NodeState): Reasons {
  const allocatable = nodeAllocatable(node);
  const reasons: string[] = [];
  if (allocatable['pods'] !== undefined && pods.length + 1 > allocatable['pods'])
    reasons.push('Too many pods');
  const used = usedOn(pods);
  for (const [name, amount] of Object.entries(podRequests(pod))) {
    if (amount > 0 && (used[name] ?? 0) + amount > (allocatable[name] ?? 0))
      reasons.push(`Insufficient ${name}`);
  }
  return reasons;
}

/** What pods take together. */
export function usedOn(pods: readonly Pod[]): Amounts {
  // In place: this is the inner loop of scheduling.
  const used: Record<string, number> = {};
  for (const pod of pods) {
    for (const [name, amount] of Object.entries(podRequests(pod))) used[name] = (used[name] ?? 0) + amount;
  }
  return used;
}

interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

function hostPorts(pod: Pod): HostPort[] {
  const always = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...pod.spec.containers, ...always].flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort = 0, hostIP = '0.0.0.0', protocol = 'TCP' }) => ({
        ip: hostIP === '' ? '0.0.0.0' : hostIP,
        protocol,
        port: hostPort,
      })),
  );
}

function portsCollide(pod: Pod, others: readonly Pod[]): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return false;
  const taken = others.flatMap(hostPorts);
  const everywhere = '0.0.0.0';
  return wanted.some(({ ip, protocol, port }) =>
    taken.some(
      (other) =>
        other.port === port &&
        other.protocol === protocol &&
        (other.ip === ip || other.ip === everywhere || ip === everywhere),
    ),
  );
}
