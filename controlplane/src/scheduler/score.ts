import { controllerOf } from '@hawser/kube';
import type { Pod } from '../api/pod.ts';
import { tolerates } from '../api/tolerations.ts';
import { usedOn, type NodeState } from './filters.ts';
import { matchesTerm } from './node-selector.ts';
import { nodeAllocatable, podRequests, type Amounts } from './pod-requests.ts';

/** A pod that asks for nothing counts as asking for this, or all such pods would pile up on one node. */
const ASSUMED: Amounts = { cpu: 100, memory: 200 * 2 ** 20 };
const WEIGHTS = { free: 1, spread: 2, preferred: 2, taints: 3 };

/**
 * How well nodes that can take the pod suit it, higher is better: free room, few pods of the same controller,
 * preferred node affinity, few taints that ask to stay away. Each counts 0 to 100 times its weight.
 * Source: kubernetes pkg/scheduler LeastAllocated, PodTopologySpread (its defaults), NodeAffinity, TaintToleration.
 */
export function scores(pod: Pod, states: readonly NodeState[]): number[] {
  const spread = fewest(states.map((state) => siblings(pod, state)));
  const taints = fewest(states.map((state) => discouraging(pod, state)));
  const preferred = most(states.map((state) => preference(pod, state)));
  return states.map(
    (state, index) =>
      WEIGHTS.free * freeRoom(pod, state) +
      WEIGHTS.spread * (spread[index] ?? 0) +
      WEIGHTS.preferred * (preferred[index] ?? 0) +
      WEIGHTS.taints * (taints[index] ?? 0),
  );
}

function freeRoom(pod: Pod, { node, pods }: NodeState): number {
  const allocatable = nodeAllocatable(node);
  const all = [...pods, pod];
  const used = usedOn(all);
  const parts = Object.entries(ASSUMED).map(([name, assumed]) => {
    const capacity = allocatable[name] ?? 0;
    if (capacity === 0) return 0;
    const silent = all.filter((each) => (podRequests(each)[name] ?? 0) === 0).length;
    const taken = (used[name] ?? 0) + silent * assumed;
    return Math.max(0, ((capacity - taken) * 100) / capacity);
  });
  return parts.reduce((sum, part) => sum + part, 0) / parts.length;
}

function siblings(pod: Pod, { pods }: NodeState): number {
  const owner = controllerOf(pod);
  if (owner === undefined) return 0;
  return pods.filter((other) => controllerOf(other)?.uid === owner.uid).length;
}

function discouraging(pod: Pod, { node }: NodeState): number {
  const tolerations = pod.spec.tolerations ?? [];
  return (node.spec?.taints ?? []).filter(
    (taint) =>
      taint.effect === 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
  ).length;
}

function preference(pod: Pod, { node }: NodeState): number {
  const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms
    .filter(({ preference: term }) => matchesTerm(term, node))
    .reduce((sum, { weight }) => sum + weight, 0);
}

/** 100 for nothing, 0 for the most. */
function fewest(counts: readonly number[]): number[] {
  const highest = Math.max(0, ...counts);
  return counts.map((count) => (highest === 0 ? 100 : (100 * (highest - count)) / highest));
}

/** 100 for the most, 0 for nothing. */
function most(counts: readonly number[]): number[] {
  const highest = Math.max(0, ...counts);
  return counts.map((count) => (highest === 0 ? 0 : (100 * count) / highest));
}
