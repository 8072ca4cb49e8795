import { randomUUID } from 'node:crypto';
import { ResourceClient, RESOURCES, StatusError, type ApiClient, type KubeObject } from '@hawser/kube';
import { systemClock, type Clock } from '@hawser/seams';
import { compareAndSwap } from '../identity/compare-and-swap.ts';
import { record, text } from '../cache/json-reader.ts';
import { CloudCoreError } from '../errors.ts';
import { HAWSER_NAMESPACE, OBJECTS } from './names.ts';

/** What the ConfigMap `hawser-system/hawser-cluster` says. */
export interface ClusterRecord {
  /** Which life of the cluster this is. */
  readonly incarnation: string;
  /** Lives before, the last one first. */
  readonly previous: readonly string[];
  /** Whether an operator has accepted this incarnation for all nodes. */
  readonly accepted: boolean;
}

const INCARNATION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Lives that are remembered. */
const MAX_PREVIOUS = 32;

/** Reads the ConfigMap; undefined where it says no incarnation. */
export function readClusterRecord(configMap: KubeObject | undefined): ClusterRecord | undefined {
  const data = record(configMap?.['data']);
  const incarnation = text(data['incarnation']);
  if (!INCARNATION.test(incarnation)) return undefined;
  const previous = text(data['previous'])
    .split(/\s+/)
    .filter((life) => INCARNATION.test(life));
  return { incarnation, previous, accepted: data['accepted'] === incarnation };
}

/** Where the writers of the ConfigMap work. */
export interface ClusterRecordTarget {
  readonly client: ApiClient;
  readonly clock?: Clock;
}

/**
 * Makes sure that there is a record, and answers the ConfigMap; the namespace is made too where it is missing.
 * @param incarnation for a record that has to be made. Default: a new one.
 * Errors: those of `ApiClient`.
 */
export async function ensureClusterRecord(
  target: ClusterRecordTarget,
  incarnation?: string,
): Promise<KubeObject> {
  await ensureNamespace(target.client);
  return swap(target, (present) => {
    if (readClusterRecord(present) !== undefined) return undefined;
    return withData(present, { ...dataOf(present), incarnation: incarnation ?? randomUUID() });
  });
}

/**
 * Begins a new incarnation in place of `from`, unless somebody else has already; answers the ConfigMap.
 * @param seen further lives that came before: the record may have forgotten them, or be back at one of them
 * Errors: those of `ApiClient`.
 */
export async function renewIncarnation(
  target: ClusterRecordTarget,
  from: string,
  reason: string,
  seen: readonly string[] = [],
): Promise<KubeObject> {
  const { clock = systemClock } = target;
  await ensureNamespace(target.client);
  return swap(target, (present) => {
    const known = readClusterRecord(present);
    const isNew = known !== undefined && known.incarnation !== from && !seen.includes(known.incarnation);
    if (isNew) return undefined;
    const previous = [...new Set([from, ...(known?.previous ?? []), ...seen])].slice(0, MAX_PREVIOUS);
    return withData(present, {
      incarnation: randomUUID(),
      previous: previous.join('\n'),
      reason,
      since: new Date(clock.wallMs()).toISOString(),
    });
  });
}

/**
 * An operator's word for all nodes (`hawser accept-cluster` in the cloud): the present incarnation follows the ones
 * before it. Answers the record.
 * Errors: `ERR_CLOUDCORE_CLUSTER` where there is no record; those of `ApiClient`.
 */
export async function acceptCluster(target: ClusterRecordTarget): Promise<ClusterRecord> {
  const written = await swap(target, (present) => {
    const known = readClusterRecord(present);
    if (known === undefined) {
      const where = `${HAWSER_NAMESPACE}/${OBJECTS.cluster}`;
      throw new CloudCoreError('ERR_CLOUDCORE_CLUSTER', `there is no incarnation in ConfigMap ${where}`);
    }
    if (known.accepted) return undefined;
    return withData(present, { ...dataOf(present), accepted: known.incarnation });
  });
  const known = readClusterRecord(written);
  if (known !== undefined) return known;
  throw new CloudCoreError(
    'ERR_CLOUDCORE_CLUSTER',
    'the API server answered with another record than was written',
  );
}

async function swap(
  { client, clock = systemClock }: ClusterRecordTarget,
  change: (present: KubeObject | undefined) => KubeObject | undefined,
): Promise<KubeObject> {
  const resource = new ResourceClient(client, RESOURCES.configmaps);
  const target = { resource, namespace: HAWSER_NAMESPACE, name: OBJECTS.cluster, clock };
  const written = await compareAndSwap(target, change);
  if (written !== undefined) return written;
  throw new CloudCoreError(
    'ERR_CLOUDCORE_CLUSTER',
    `ConfigMap ${HAWSER_NAMESPACE}/${OBJECTS.cluster} is gone`,
  );
}

async function ensureNamespace(client: ApiClient): Promise<void> {
  const namespaces = new ResourceClient(client, RESOURCES.namespaces);
  try {
    await namespaces.get('', HAWSER_NAMESPACE);
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.code !== 404) throw error;
    try {
      await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: HAWSER_NAMESPACE } });
    } catch (race) {
      if (!(race instanceof StatusError) || race.status.code !== 409) throw race;
    }
  }
}

function dataOf(configMap: KubeObject | undefined): Record<string, unknown> {
  return { ...record(configMap?.['data']) };
}

function withData(present: KubeObject | undefined, data: Record<string, unknown>): KubeObject {
  return {
    ...present,
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...present?.metadata, name: OBJECTS.cluster, namespace: HAWSER_NAMESPACE },
    data,
  };
}
