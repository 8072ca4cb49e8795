import { withCondition } from '../api/pod.ts';
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../api/workloads.ts';
import { maxUnavailable, totalAvailable, totalSize, type DeploymentSets } from './deployment-plan.ts';

/** What is known when a status is computed. */
export interface StatusInput {
  readonly deployment: Deployment;
  readonly sets: DeploymentSets;
  /** Whether the present pass made the newest set. */
  readonly created: boolean;
  /** Why the newest set could not be made. */
  readonly failure: string | undefined;
  readonly nowMs: number;
  /** `nowMs` as objects carry it. */
  readonly now: string;
}

/**
 * The status of a deployment. Source: kubernetes pkg/controller/deployment calculateStatus and syncRolloutStatus.
 */
export function deploymentStatus(input: StatusInput): DeploymentStatus {
  const { deployment, sets } = input;
  const { current, old } = sets;
  const all = current === undefined ? [...old] : [...old, current];
  const available = totalAvailable(all);
  const total = totalSize(all);
  const counts = {
    replicas: sum(all, (set) => set.status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum(all, (set) => set.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, total - available),
  };
  const { collisionCount } = deployment.status ?? {};
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...counts,
    ...(collisionCount !== undefined && { collisionCount }),
  };
  return { ...status, conditions: conditionsOf(input, status, all) };
}

function sum(sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number | undefined): number {
  return sets.reduce((total, set) => total + (of(set) ?? 0), 0);
}

function conditionsOf(
  input: StatusInput,
  status: DeploymentStatus,
  all: readonly ReplicaSet[],
): DeploymentCondition[] {
  const { deployment, failure } = input;
  let conditions: readonly DeploymentCondition[] = deployment.status?.conditions ?? [];
  conditions = put(conditions, available(deployment, status.availableReplicas ?? 0), input);
  const progressing = progress(input, status);
  if (progressing !== undefined) conditions = put(conditions, progressing, input);
  const replicaFailure =
    failure === undefined
      ? all.flatMap((set) => set.status?.conditions ?? []).find(({ type }) => type === 'ReplicaFailure')
      : { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: failure };
  if (replicaFailure === undefined) return conditions.filter(({ type }) => type !== 'ReplicaFailure');
  const { type, status: value, reason = '', message = '' } = replicaFailure;
  return [...put(conditions, { type, status: value, reason, message }, input)];
}

interface Verdict {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** The condition is renewed though it says the same: progress was made. */
  readonly renew?: boolean;
}

function put(
  conditions: readonly DeploymentCondition[],
  { renew, ...verdict }: Verdict,
  { now }: StatusInput,
): readonly DeploymentCondition[] {
  const old = conditions.find(({ type }) => type === verdict.type);
  const same = old?.status === verdict.status && old.reason === verdict.reason;
  if (same && renew !== true) return conditions;
  const lastTransitionTime = old?.status === verdict.status ? (old.lastTransitionTime ?? now) : now;
  return withCondition(conditions, { ...verdict, lastUpdateTime: now, lastTransitionTime });
}

function available(deployment: Deployment, count: number): Verdict {
  const enough = count >= deployment.spec.replicas - maxUnavailable(deployment);
  return enough
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

/** Whether all pods are of the newest template and available. Source: deployment util DeploymentComplete. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const { replicas } = deployment.spec;
  return (
    status.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.availableReplicas === replicas
  );
}

function hasProgressed(before: DeploymentStatus, status: DeploymentStatus): boolean {
  const oldPods = (of: DeploymentStatus): number => (of.replicas ?? 0) - (of.updatedReplicas ?? 0);
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldPods(status) < oldPods(before) ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function progress(input: StatusInput, status: DeploymentStatus): Verdict | undefined {
  const { deployment, sets, created } = input;
  const { name = '' } = deployment.metadata;
  const before = deployment.status ?? {};
  const present = before.conditions?.find(({ type }) => type === 'Progressing');
  const about =
    sets.current === undefined ? `Deployment "${name}"` : `ReplicaSet "${sets.current.metadata.name ?? ''}"`;
  const verdict = (value: string, reason: string, message: string, renew = false): Verdict => ({
    ...{ type: 'Progressing', status: value, reason, message, renew },
  });
  if (deployment.spec.paused === true) {
    if (present?.reason === 'DeploymentPaused') return undefined;
    return verdict('Unknown', 'DeploymentPaused', 'Deployment is paused');
  }
  if (present?.reason === 'DeploymentPaused') {
    return verdict('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  }
  const unchanged =
    before.replicas === before.updatedReplicas && present?.reason === 'NewReplicaSetAvailable';
  if (unchanged && !created && status.replicas === status.updatedReplicas) return undefined;
  if (isComplete(deployment, status)) {
    return verdict('True', 'NewReplicaSetAvailable', `${about} has successfully progressed.`);
  }
  if (created)
    return verdict(
      'True',
      'NewReplicaSetCreated',
      `Created new replica set "${sets.current?.metadata.name ?? ''}"`,
    );
  if (present === undefined || hasProgressed(before, status)) {
    return verdict('True', 'ReplicaSetUpdated', `${about} is progressing.`, true);
  }
  if (progressDeadlineInMs(deployment, input.nowMs) === 0) {
    return verdict('False', 'ProgressDeadlineExceeded', `${about} has timed out progressing.`);
  }
  return undefined;
}

/**
 * Milliseconds until the deployment's update counts as stuck, if nothing moves; undefined if it is not under way.
 * Source: deployment util DeploymentTimedOut.
 */
export function progressDeadlineInMs(deployment: Deployment, nowMs: number): number | undefined {
  const seconds = deployment.spec.progressDeadlineSeconds;
  const present = deployment.status?.conditions?.find(({ type }) => type === 'Progressing');
  if (seconds === undefined || present === undefined || deployment.spec.paused === true) return undefined;
  if (present.reason === 'NewReplicaSetAvailable' || present.reason === 'ProgressDeadlineExceeded')
    return undefined;
  const updatedMs = Date.parse(present.lastUpdateTime ?? '');
  return Number.isNaN(updatedMs) ? undefined : Math.max(0, updatedMs + seconds * 1000 - nowMs);
}
