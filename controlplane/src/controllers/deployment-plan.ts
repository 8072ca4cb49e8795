import { isPlainObject, jsonEqual } from '@hawser/kube';
import type { PodTemplate } from '../api/pod.ts';
import { scaledCount, type Deployment, type ReplicaSet } from '../api/workloads.ts';
import { desiredOf, HASH_LABEL, maxReplicasOf } from './deployment-annotations.ts';

/** A ReplicaSet and the size that it is to have. */
export interface Resize {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

/** Sets of one deployment, told apart. */
export interface DeploymentSets {
  /** The set of the present template, if it is there already. */
  readonly current: ReplicaSet | undefined;
  /** The others, oldest first. */
  readonly old: readonly ReplicaSet[];
}

/** Whether two templates are the same but for the hash label. Source: deployment util EqualIgnoreHash. */
export function sameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return jsonEqual(withoutHash(a), withoutHash(b));
}

/** Empty and absent members mean the same in templates; `creationTimestamp: null` is what older clients send. */
function withoutHash({ metadata = {}, spec }: PodTemplate): unknown {
  const { labels = {}, ...rest } = metadata;
  const others = Object.entries(labels).filter(([key]) => key !== HASH_LABEL);
  const filled = Object.entries(rest).filter(
    ([, value]) => value !== null && !(isPlainObject(value) && Object.keys(value).length === 0),
  );
  return { metadata: { ...Object.fromEntries(filled), labels: Object.fromEntries(others) }, spec };
}

/** Tells the set of the present template from the others; of several equal ones the oldest is it. */
export function sortSets(deployment: Deployment, sets: readonly ReplicaSet[]): DeploymentSets {
  const byAge = [...sets].sort((a, b) => createdMs(a) - createdMs(b) || compareNames(a, b));
  const current = byAge.find((set) => sameTemplate(set.spec.template, deployment.spec.template));
  return { current, old: byAge.filter((set) => set !== current) };
}

function createdMs({ metadata }: ReplicaSet): number {
  return Date.parse(metadata.creationTimestamp ?? '');
}

function compareNames(a: ReplicaSet, b: ReplicaSet): number {
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

/** The sum of the sets' wanted sizes. */
export function totalSize(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, { spec }) => sum + spec.replicas, 0);
}

/** The sum of the pods that the sets report as available. */
export function totalAvailable(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, { status }) => sum + (status?.availableReplicas ?? 0), 0);
}

/** How many pods above its size a deployment may have during an update. */
export function maxSurge({ spec }: Deployment): number {
  if (spec.strategy.type !== 'RollingUpdate') return 0;
  return scaledCount(spec.strategy.rollingUpdate?.maxSurge, spec.replicas, 'up');
}

/** How many of its pods a deployment may lack during an update. Source: deployment util ResolveFenceposts. */
export function maxUnavailable(deployment: Deployment): number {
  const { spec } = deployment;
  if (spec.strategy.type !== 'RollingUpdate' || spec.replicas === 0) return 0;
  const count = scaledCount(spec.strategy.rollingUpdate?.maxUnavailable, spec.replicas, 'down');
  const moving = count > 0 || maxSurge(deployment) > 0 ? count : 1;
  return Math.min(moving, spec.replicas);
}

/** The size for the newest set now. Source: deployment util NewRSNewReplicas. */
export function newSetSize(deployment: Deployment, { current, old }: DeploymentSets): number {
  const { replicas, strategy } = deployment.spec;
  if (strategy.type !== 'RollingUpdate') return replicas;
  const present = current?.spec.replicas ?? 0;
  const total = totalSize(old) + present;
  const room = replicas + maxSurge(deployment) - total;
  if (room <= 0) return present;
  return present + Math.min(room, replicas - present);
}

/**
 * Sizes of old sets after as many pods as may go have gone: first those that are not healthy, then, while enough stay
 * available, the others. Source: kubernetes deployment reconcileOldReplicaSets.
 */
export function shrinkOldSets(
  deployment: Deployment,
  sets: DeploymentSets & { readonly current: ReplicaSet },
): Resize[] {
  const { current, old } = sets;
  const active = old.filter(({ spec }) => spec.replicas > 0);
  if (active.length === 0) return [];
  const all = [...old, current];
  const minAvailable = deployment.spec.replicas - maxUnavailable(deployment);
  const newUnavailable = current.spec.replicas - (current.status?.availableReplicas ?? 0);
  let budget = totalSize(all) - minAvailable - newUnavailable;
  if (budget <= 0) return [];
  const sizes = new Map(active.map((set) => [set, set.spec.replicas]));
  for (const set of active) {
    const size = set.spec.replicas;
    const unhealthy = Math.min(budget, Math.max(0, size - (set.status?.availableReplicas ?? 0)));
    sizes.set(set, size - unhealthy);
    budget -= unhealthy;
  }
  let spare = totalAvailable(all) - minAvailable;
  for (const set of active) {
    if (spare <= 0) break;
    const size = sizes.get(set) ?? 0;
    const going = Math.min(size, spare);
    sizes.set(set, size - going);
    spare -= going;
  }
  return changes(sizes);
}

/**
 * Sizes after the deployment itself was resized: alone the active set follows; during an update all do, in proportion
 * to their sizes, so that the update's risk stays what it was. Source: kubernetes deployment scale.
 */
export function scaleSets(deployment: Deployment, { current, old }: DeploymentSets): Resize[] {
  const all = current === undefined ? [...old] : [...old, current];
  const active = all.filter(({ spec }) => spec.replicas > 0);
  const { replicas } = deployment.spec;
  if (active.length <= 1) {
    const [only = current ?? old.at(-1)] = active;
    if (only === undefined || only.spec.replicas === replicas) return [];
    return [{ set: only, replicas }];
  }
  const done = current?.spec.replicas === replicas && (current.status?.availableReplicas ?? 0) === replicas;
  if (done) return old.filter(({ spec }) => spec.replicas > 0).map((set) => ({ set, replicas: 0 }));
  if (deployment.spec.strategy.type !== 'RollingUpdate') return [];
  return proportional(active, replicas > 0 ? replicas + maxSurge(deployment) : 0);
}

/** The larger sets first when growing, the same but the newest of equals when shrinking; the rest to the largest. */
function proportional(active: readonly ReplicaSet[], allowed: number): Resize[] {
  const total = totalSize(active);
  const difference = allowed - total;
  const growing = difference > 0;
  const order = [...active].sort(
    (a, b) =>
      b.spec.replicas - a.spec.replicas ||
      (growing ? createdMs(b) - createdMs(a) : createdMs(a) - createdMs(b)),
  );
  const sizes = new Map<ReplicaSet, number>();
  let given = 0;
  for (const set of order) {
    const left = difference - given;
    const share = difference === 0 ? 0 : bounded(fraction(set, allowed, total), left);
    sizes.set(set, set.spec.replicas + share);
    given += share;
  }
  const [first] = order;
  if (first !== undefined) {
    sizes.set(first, Math.max(0, (sizes.get(first) ?? 0) + difference - given));
  }
  return changes(sizes);
}

/** How many pods a set gains or loses for its share. Source: deployment util getReplicaSetFraction. */
function fraction(set: ReplicaSet, allowed: number, total: number): number {
  const size = set.spec.replicas;
  const before = maxReplicasOf(set) ?? total;
  if (allowed === 0 || before === 0) return -size;
  return Math.round((size * allowed) / before) - size;
}

function bounded(share: number, left: number): number {
  return left > 0 ? Math.max(0, Math.min(share, left)) : Math.min(0, Math.max(share, left));
}

function changes(sizes: ReadonlyMap<ReplicaSet, number>): Resize[] {
  return [...sizes]
    .filter(([set, replicas]) => replicas !== set.spec.replicas)
    .map(([set, replicas]) => ({ set, replicas }));
}

/** Whether the deployment's size changed since its sets were sized. Source: deployment isScalingEvent. */
export function wasResized(deployment: Deployment, { current, old }: DeploymentSets): boolean {
  const all = current === undefined ? old : [...old, current];
  return all.some((set) => {
    const desired = desiredOf(set);
    return set.spec.replicas > 0 && desired !== undefined && desired !== deployment.spec.replicas;
  });
}
