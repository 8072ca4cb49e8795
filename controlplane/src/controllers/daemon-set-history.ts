import {
  controllerReference,
  isControlledBy,
  jsonEqual,
  type KubeObject,
  type ResourceClient,
} from '@hawser/kube';
import { templateHash } from '../api/template-hash.ts';
import type { ControllerRevision, DaemonSet } from '../api/workloads.ts';
import { hasReason, unlessGone } from './context.ts';
import { REVISION_LABEL } from './daemon-set-plan.ts';

/** The form in which a template is kept, and given back by `kubectl rollout undo`. Source: daemon getPatch. */
export function revisionData(set: DaemonSet): { readonly spec: { readonly template: object } } {
  return { spec: { template: { ...set.spec.template, $patch: 'replace' } } };
}

/** What keeping history needs. */
export interface HistoryOptions {
  readonly set: DaemonSet;
  readonly client: ResourceClient<ControllerRevision>;
  readonly signal: AbortSignal;
}

/**
 * Makes sure that the present template has a ControllerRevision, and that it is the newest; returns the name of the
 * template. `cached`: ControllerRevisions of the namespace.
 * Source: kubernetes daemon constructHistory.
 */
export async function presentRevision(
  cached: readonly KubeObject[],
  options: HistoryOptions,
): Promise<string> {
  const { set, client, signal } = options;
  const { namespace = '' } = set.metadata;
  const data = revisionData(set);
  const own = ownRevisions(cached, set);
  const newest = Math.max(0, ...own.map(({ revision }) => revision));
  const present = own.find((candidate) => jsonEqual(candidate.data, data));
  if (present !== undefined) {
    const hash = present.metadata.labels?.[REVISION_LABEL] ?? '';
    if (present.revision === newest) return hash;
    await client.update({ ...present, revision: newest + 1 }, { signal });
    return hash;
  }
  const hash = templateHash(set.spec.template, set.status?.collisionCount ?? 0);
  const name = `${set.metadata.name ?? ''}-${hash}`;
  const revision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name,
      namespace,
      labels: { ...set.spec.template.metadata?.labels, [REVISION_LABEL]: hash },
      ...(set.metadata.annotations && { annotations: set.metadata.annotations }),
      ownerReferences: [controllerReference(set)],
    },
    data,
    revision: newest + 1,
  };
  try {
    await client.create(revision, { signal });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
    const there = await client.get(namespace, name, { signal });
    // The cache is late. (Two templates with one hash of 47 bits are not waited for.)
    if (!isControlledBy(there, set) || !jsonEqual(there.data, data)) throw error;
  }
  return hash;
}

/** The revisions that belong to the set, oldest first. */
export function ownRevisions(revisions: readonly KubeObject[], set: DaemonSet): ControllerRevision[] {
  return (revisions as readonly ControllerRevision[])
    .filter((revision) => isControlledBy(revision, set))
    .sort((a, b) => a.revision - b.revision);
}

/** Removes revisions that no pod uses, beyond revisionHistoryLimit. `used`: their hashes that pods carry. */
export async function cleanUpHistory(
  cached: readonly KubeObject[],
  used: ReadonlySet<string>,
  { set, client, signal }: HistoryOptions,
): Promise<void> {
  const unused = ownRevisions(cached, set).filter(
    ({ metadata }) => !used.has(metadata.labels?.[REVISION_LABEL] ?? ''),
  );
  const surplus = unused.slice(0, Math.max(0, unused.length - (set.spec.revisionHistoryLimit ?? 10)));
  for (const { metadata } of surplus) {
    await unlessGone(client.delete(metadata.namespace ?? '', metadata.name ?? '', { signal }));
  }
}
