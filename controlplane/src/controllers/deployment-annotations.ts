import type { Deployment, ReplicaSet } from '../api/workloads.ts';

/** Annotations by which deployments, their ReplicaSets and kubectl understand each other. */
export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
const DESIRED = 'deployment.kubernetes.io/desired-replicas';
const MAX = 'deployment.kubernetes.io/max-replicas';
/** Label of ReplicaSets and pods that tells templates apart. */
export const HASH_LABEL = 'pod-template-hash';

/** What is a deployment's own, and not copied to its ReplicaSets. */
const NOT_COPIED = new Set([
  ...['kubectl.kubernetes.io/last-applied-configuration', REVISION, REVISION_HISTORY, DESIRED, MAX],
  'deprecated.deployment.rollback.to',
]);

type Annotations = Readonly<Record<string, string>>;

/** The revision of a ReplicaSet; 0 if it has none. */
export function revisionOf(set: ReplicaSet): number {
  const revision = Number(set.metadata.annotations?.[REVISION] ?? 0);
  return Number.isSafeInteger(revision) ? revision : 0;
}

/** The size that the deployment had when the ReplicaSet was last sized; undefined if it was not sized yet. */
export function desiredOf(set: ReplicaSet): number | undefined {
  const value = set.metadata.annotations?.[DESIRED];
  return value === undefined ? undefined : Number(value);
}

/** The size, surge included, that the deployment could have when the ReplicaSet was last sized. */
export function maxReplicasOf(set: ReplicaSet): number | undefined {
  const value = set.metadata.annotations?.[MAX];
  return value === undefined ? undefined : Number(value);
}

/** The annotations that say for which size of the deployment a ReplicaSet was sized. */
export function sizeAnnotations(replicas: number, maxReplicas: number): Annotations {
  return { [DESIRED]: String(replicas), [MAX]: String(maxReplicas) };
}

/**
 * Annotations of the newest ReplicaSet: the deployment's, and a revision above all others.
 * `old`: those that it has; a former revision is kept in its history.
 * Source: kubernetes deployment util SetNewReplicaSetAnnotations.
 */
export function newSetAnnotations(deployment: Deployment, old: Annotations, revision: number): Annotations {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(
    ([key]) => !NOT_COPIED.has(key),
  );
  const annotations: Record<string, string> = { ...old, ...Object.fromEntries(copied) };
  const before = old[REVISION];
  if (before === undefined) annotations[REVISION] = String(revision);
  else if (Number(before) < revision) {
    annotations[REVISION] = String(revision);
    const history = old[REVISION_HISTORY];
    annotations[REVISION_HISTORY] = history === undefined || history === '' ? before : `${history},${before}`;
  }
  return annotations;
}
