import { NODE_TAINTS, type Node } from '../api/node.ts';
import {
  isPodAvailable,
  isPodReady,
  isPodTerminal,
  type NodeAffinity,
  type Pod,
  type PodSpec,
  type Toleration,
} from '../api/pod.ts';
import { untoleratedTaint } from '../api/tolerations.ts';
import { scaledCount, type DaemonSet, type DaemonSetStatus } from '../api/workloads.ts';
import { matchesNodeSelection } from '../scheduler/node-selector.ts';

/** Label of daemon pods: the revision of the template that they were made from. */
export const REVISION_LABEL = 'controller-revision-hash';

/** What a DaemonSet has to do now. */
export interface DaemonPlan {
  /** Nodes that get a pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  /** Of `remove`, those that had failed: their nodes are tried again later, and later. */
  readonly failed: readonly Pod[];
}

/** Taints that daemon pods do not mind. Source: kubernetes daemon util AddOrUpdateDaemonPodTolerations. */
export function daemonTolerations(spec: PodSpec): Toleration[] {
  const noExecute = [NODE_TAINTS.notReady, NODE_TAINTS.unreachable];
  const noSchedule = [
    ...[
      NODE_TAINTS.diskPressure,
      NODE_TAINTS.memoryPressure,
      NODE_TAINTS.pidPressure,
      NODE_TAINTS.unschedulable,
    ],
    ...(spec.hostNetwork === true ? [NODE_TAINTS.networkUnavailable] : []),
  ];
  const added: Toleration[] = [
    ...noExecute.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute' })),
    ...noSchedule.map((key) => ({ key, operator: 'Exists', effect: 'NoSchedule' })),
  ];
  const own = spec.tolerations ?? [];
  return [
    ...own.filter(({ key, effect }) => !added.some((other) => other.key === key && other.effect === effect)),
    ...added,
  ];
}

/** Whether a pod should be made for a node, and whether one that is there may stay. */
export interface Eligibility {
  readonly run: boolean;
  readonly stay: boolean;
}

/** Source: kubernetes daemon NodeShouldRunDaemonPod. */
export function eligibility(set: DaemonSet, node: Node): Eligibility {
  const { spec } = set.spec.template;
  if (spec.nodeName !== undefined && spec.nodeName !== '' && spec.nodeName !== node.metadata.name) {
    return { run: false, stay: false };
  }
  if (!matchesNodeSelection(spec, node)) return { run: false, stay: false };
  const taints = node.spec?.taints ?? [];
  const tolerations = daemonTolerations(spec);
  if (untoleratedTaint(taints, tolerations, ['NoExecute']) !== undefined) return { run: false, stay: false };
  return { run: untoleratedTaint(taints, tolerations, ['NoSchedule']) === undefined, stay: true };
}

/**
 * The affinity that ties a daemon pod to its node; the scheduler does the rest.
 * Source: kubernetes daemon util ReplaceDaemonSetPodNodeNameNodeAffinity.
 */
export function affinityToNode(spec: PodSpec, nodeName: string): PodSpec['affinity'] {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [nodeName] }];
  const nodeAffinity: NodeAffinity = {
    ...spec.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
  };
  return { ...spec.affinity, nodeAffinity };
}

/** The node that a daemon pod is on or is meant for. Source: kubernetes daemon util GetTargetNodeName. */
export function targetNode(pod: Pod): string | undefined {
  if (pod.spec.nodeName !== undefined && pod.spec.nodeName !== '') return pod.spec.nodeName;
  const terms =
    pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    const field = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In');
    if (field?.values?.length === 1) return field.values[0];
  }
  return undefined;
}

/** The pods of a DaemonSet by the node that they are for. */
export function podsByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const byNode = new Map<string, Pod[]>();
  for (const pod of pods) {
    const node = targetNode(pod);
    if (node !== undefined) byNode.set(node, [...(byNode.get(node) ?? []), pod]);
  }
  return byNode;
}

function oldestFirst(pods: readonly Pod[]): Pod[] {
  const createdMs = (pod: Pod): number => Date.parse(pod.metadata.creationTimestamp ?? '');
  return [...pods].sort((a, b) => createdMs(a) - createdMs(b));
}

/**
 * One pod for each node that should have one, none for the others. Source: kubernetes daemon podsShouldBeOnNode.
 * `surging`: two pods of different revisions may be on a node during an update.
 */
export function planDaemons(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
  revision: string,
  nowMs: number,
): DaemonPlan {
  const byNode = podsByNode(pods);
  const create: string[] = [];
  const remove: Pod[] = [];
  const failed: Pod[] = [];
  const surging = surgeOf(set, 1) > 0;
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    const here = byNode.get(name) ?? [];
    const { run, stay } = eligibility(set, node);
    if (run && here.length === 0) create.push(name);
    else if (!stay) remove.push(...here.filter(({ metadata }) => metadata.deletionTimestamp === undefined));
    else {
      const running = here.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      const ended = running.filter(isPodTerminal);
      failed.push(...ended);
      const alive = oldestFirst(running.filter((pod) => !ended.includes(pod)));
      remove.push(...ended, ...surplus(set, alive, revision, surging, nowMs));
    }
  }
  return { create, remove, failed };
}

/** While an update surges, the old pod stays until the new one is available. */
function surplus(
  set: DaemonSet,
  alive: readonly Pod[],
  revision: string,
  surging: boolean,
  nowMs: number,
): Pod[] {
  if (alive.length <= 1) return [];
  if (!surging) return alive.slice(1);
  const fresh = alive.filter((pod) => isUpdated(pod, revision));
  const old = alive.filter((pod) => !isUpdated(pod, revision));
  const available = fresh.some((pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs));
  return [...fresh.slice(1), ...(available ? old : old.slice(1))];
}

function isUpdated(pod: Pod, revision: string): boolean {
  return pod.metadata.labels?.[REVISION_LABEL] === revision;
}

function surgeOf(set: DaemonSet, desired: number): number {
  const { type, rollingUpdate } = set.spec.updateStrategy;
  return type === 'RollingUpdate' ? scaledCount(rollingUpdate?.maxSurge, desired, 'up') : 0;
}

/**
 * Moves nodes to the newest revision: without surge by deleting old pods, as far as maxUnavailable allows; with surge
 * by making new ones beside the old. Source: kubernetes daemon rollingUpdate.
 */
export function planUpdate(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
  revision: string,
  nowMs: number,
): Omit<DaemonPlan, 'failed'> {
  if (set.spec.updateStrategy.type !== 'RollingUpdate') return { create: [], remove: [] };
  const minReady = set.spec.minReadySeconds ?? 0;
  const byNode = podsByNode(pods);
  const wanted = nodes
    .filter((node) => eligibility(set, node).run)
    .map(({ metadata }) => metadata.name ?? '');
  const surge = surgeOf(set, wanted.length);
  const unavailableLimit = scaledCount(
    set.spec.updateStrategy.rollingUpdate?.maxUnavailable,
    wanted.length,
    'up',
  );
  const limit = surge === 0 ? Math.max(1, unavailableLimit) : unavailableLimit;
  const remove: Pod[] = [];
  const candidates: Pod[] = [];
  const create: string[] = [];
  let unavailable = 0;
  let surged = 0;
  for (const name of wanted) {
    const here = (byNode.get(name) ?? []).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const fresh = here.find((pod) => isUpdated(pod, revision));
    const old = here.find((pod) => !isUpdated(pod, revision));
    const served = here.some((pod) => isPodAvailable(pod, minReady, nowMs));
    if (!served) unavailable += 1;
    if (old === undefined) continue;
    if (fresh !== undefined) surged += 1;
    else if (!served)
      remove.push(old); // nothing is lost by replacing it
    else if (surge > 0) create.push(name);
    else candidates.push(old);
  }
  if (surge > 0) return { create: create.slice(0, Math.max(0, surge - surged)), remove };
  return { create: [], remove: [...remove, ...candidates.slice(0, Math.max(0, limit - unavailable))] };
}

/** Source: kubernetes daemon updateDaemonSetStatus. */
export function daemonStatus(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
  revision: string,
  nowMs: number,
): DaemonSetStatus {
  const byNode = podsByNode(pods);
  const counts = { desired: 0, current: 0, misplaced: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const here = oldestFirst(byNode.get(node.metadata.name ?? '') ?? []);
    if (!eligibility(set, node).run) {
      if (here.length > 0) counts.misplaced += 1;
      continue;
    }
    counts.desired += 1;
    if (here.length === 0) continue;
    counts.current += 1;
    const ready = here.filter(isPodReady);
    if (ready.length > 0) counts.ready += 1;
    if (ready.some((pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs))) counts.available += 1;
    if (here.some((pod) => isUpdated(pod, revision))) counts.updated += 1;
  }
  const { collisionCount, conditions } = set.status ?? {};
  return {
    observedGeneration: set.metadata.generation ?? 0,
    currentNumberScheduled: counts.current,
    desiredNumberScheduled: counts.desired,
    numberMisscheduled: counts.misplaced,
    numberReady: counts.ready,
    updatedNumberScheduled: counts.updated,
    numberAvailable: counts.available,
    numberUnavailable: counts.desired - counts.available,
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions !== undefined && { conditions }),
  };
}
