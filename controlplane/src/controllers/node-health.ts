import { jsonEqual } from '@hawser/kube';
import { NODE_TAINTS, type Node, type NodeCondition, type Taint } from '../api/node.ts';
import { conditionOf } from '../api/pod.ts';

const NEVER_UPDATED = 'NodeStatusNeverUpdated';

/** How long nodes may be silent, in milliseconds. */
export interface NodeHealthTimes {
  /** Without a sign of life before a node counts as unreachable. Default 40 s. */
  readonly graceMs: number;
  /** The same for a node that never reported. Default 60 s. */
  readonly startupGraceMs: number;
}

/** What is remembered of a node. Times are monotonic: a step of the clock on either side declares nobody dead. */
export interface NodeHealth {
  /** When a sign of life was last seen here. */
  readonly seenMs: number;
  /** By what it is recognised: the lease's renewal and the Ready condition's heartbeat. */
  readonly sign: string;
}

/**
 * The sign of life that a node's objects carry; another one than before means that it lives. What this controller
 * itself writes about a silent node does not change it.
 */
export function signOfLife(node: Node, renewTime: string | undefined): string {
  const ready = conditionOf(node, 'Ready') as NodeCondition | undefined;
  const heartbeat = ready?.reason === NEVER_UPDATED ? '' : (ready?.lastHeartbeatTime ?? '');
  return JSON.stringify([heartbeat, renewTime ?? '']);
}

/** What is remembered after a look at a node. */
export function observed(known: NodeHealth | undefined, sign: string, nowMs: number): NodeHealth {
  return known?.sign === sign ? known : { sign, seenMs: nowMs };
}

const CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** Milliseconds until the node counts as silent; 0: it is. */
export function silentInMs(node: Node, health: NodeHealth, times: NodeHealthTimes, nowMs: number): number {
  const ready = conditionOf(node, 'Ready');
  const reported = ready !== undefined && ready.reason !== NEVER_UPDATED;
  return Math.max(0, health.seenMs + (reported ? times.graceMs : times.startupGraceMs) - nowMs);
}

/**
 * The conditions of a node that is silent: nobody knows. Undefined if they say so already.
 * Source: kubernetes pkg/controller/nodelifecycle tryUpdateNodeHealth.
 */
export function silentConditions(node: Node, now: string): NodeCondition[] | undefined {
  const old = node.status?.conditions ?? [];
  const conditions = [...old];
  let changed = false;
  for (const type of CONDITIONS) {
    const index = conditions.findIndex((condition) => condition.type === type);
    const present = conditions[index];
    if (present?.status === 'Unknown') continue;
    changed = true;
    if (present === undefined) {
      conditions.push({
        type,
        status: 'Unknown',
        reason: NEVER_UPDATED,
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp ?? now,
        lastTransitionTime: now,
      });
    } else {
      conditions[index] = {
        ...present,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: now,
      };
    }
  }
  return changed ? conditions : undefined;
}

/** Whether the node says that it is well. */
export function isNodeReady(node: Node): boolean {
  return conditionOf(node, 'Ready')?.status === 'True';
}

const PRESSURES: readonly (readonly [type: string, taint: string])[] = [
  ['MemoryPressure', NODE_TAINTS.memoryPressure],
  ['DiskPressure', NODE_TAINTS.diskPressure],
  ['PIDPressure', NODE_TAINTS.pidPressure],
  ['NetworkUnavailable', NODE_TAINTS.networkUnavailable],
];
const OURS = new Set<string>(Object.values(NODE_TAINTS));

/**
 * The taints that a node should have by its conditions: NoSchedule always, NoExecute only if `mayEvict`; one that is
 * there stays until the reason for it is gone. Taints of others stay as they are. Undefined if nothing changes.
 * Source: kubernetes pkg/controller/nodelifecycle doNoScheduleTaintingPass, processTaintBaseEviction.
 */
export function wantedTaints(node: Node, mayEvict: boolean, now: string): Taint[] | undefined {
  const old = node.spec?.taints ?? [];
  const ready = conditionOf(node, 'Ready')?.status ?? 'Unknown';
  const trouble =
    ready === 'False' ? NODE_TAINTS.notReady : ready === 'True' ? undefined : NODE_TAINTS.unreachable;
  const wanted: Taint[] = [];
  const want = (key: string, effect: string, timeAdded?: string): void => {
    const present = old.find((taint) => taint.key === key && taint.effect === effect);
    wanted.push(present ?? { key, effect, ...(timeAdded !== undefined && { timeAdded }) });
  };
  if (trouble !== undefined) {
    want(trouble, 'NoSchedule');
    if (mayEvict) want(trouble, 'NoExecute', now);
  }
  for (const [type, key] of PRESSURES)
    if (conditionOf(node, type)?.status === 'True') want(key, 'NoSchedule');
  if (node.spec?.unschedulable === true) want(NODE_TAINTS.unschedulable, 'NoSchedule');
  const others = old.filter((taint) => !OURS.has(taint.key));
  const taints = [...others, ...wanted];
  const sorted = (list: readonly Taint[]): string[] =>
    list.map(({ key, effect }) => `${key}:${effect}`).sort();
  return jsonEqual(sorted(old), sorted(taints)) ? undefined : taints;
}
