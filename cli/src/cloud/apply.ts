import { isDeepStrictEqual } from 'node:util';
import {
  ResourceClient,
  RESOURCES,
  StatusError,
  type ApiClient,
  type ApiResource,
  type KubeObject,
} from '@hawser/kube';

/**
 * What became of an object. `kept`: it is there, somebody else's, and stays as it is.
 */
export type Applied = 'created' | 'updated' | 'unchanged' | 'kept';

/** Label that says whose an object is. Source: Kubernetes, "Recommended Labels". */
export const MANAGED_BY = { label: 'app.kubernetes.io/managed-by', value: 'hawser' } as const;

const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;
/** The kinds that are applied. */
const KINDS: Readonly<Record<string, ApiResource>> = {
  Namespace: RESOURCES.namespaces,
  ConfigMap: RESOURCES.configmaps,
  ServiceAccount: RESOURCES.serviceaccounts,
  CustomResourceDefinition: RESOURCES.customresourcedefinitions,
  ClusterRole: { ...RBAC, kind: 'ClusterRole', resource: 'clusterroles', namespaced: false },
  ClusterRoleBinding: {
    ...RBAC,
    kind: 'ClusterRoleBinding',
    resource: 'clusterrolebindings',
    namespaced: false,
  },
  Role: { ...RBAC, kind: 'Role', resource: 'roles', namespaced: true },
  RoleBinding: { ...RBAC, kind: 'RoleBinding', resource: 'rolebindings', namespaced: true },
};
/** Somebody who writes the same object that often will do so again. */
const ATTEMPTS = 5;
/** What every write changes. */
const VOLATILE = new Set(['resourceVersion', 'generation', 'managedFields']);
const UNSAID = new Set(['apiVersion', 'kind', 'metadata']);

/** How to apply. */
export interface ApplyOptions {
  /** Nothing is written; the answer is what would become of it. */
  readonly dryRun: boolean;
  /** Leaves an object alone that is there without our label. */
  readonly keepOthers?: boolean;
  readonly signal: AbortSignal;
}

/** `CustomResourceDefinition devices.devices.kubeedge.io`, `Role hawser-system/hawser-cloudcore`. */
export function describeObject({ kind, metadata: { namespace = '', name = '' } }: KubeObject): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

/**
 * Makes an object be as wanted. The API server itself says whether a write would change anything: it is asked with a
 * dry run, so that its defaults need not be known here. Labels and annotations of others stay.
 * @throws TypeError for a kind that is not known here; the errors of {@link ApiClient}
 */
export async function applyObject(
  client: ApiClient,
  wanted: KubeObject,
  options: ApplyOptions,
): Promise<Applied> {
  const known = KINDS[wanted.kind];
  if (known === undefined) throw new TypeError(`${describeObject(wanted)} is of a kind that is not applied`);
  const resource = new ResourceClient(client, known);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptOn(resource, wanted, options);
    } catch (error) {
      const raced = error instanceof StatusError && error.status.code === 409;
      if (!raced || attempt === ATTEMPTS) throw error;
    }
  }
}

async function attemptOn(
  resource: ResourceClient,
  wanted: KubeObject,
  { dryRun, keepOthers = false, signal }: ApplyOptions,
): Promise<Applied> {
  const { namespace = '', name = '' } = wanted.metadata;
  const present = await unlessMissing(resource.get(namespace, name, { signal }));
  if (present === undefined) {
    if (!dryRun) await resource.create(wanted, { signal });
    return 'created';
  }
  if (keepOthers && present.metadata.labels?.[MANAGED_BY.label] !== MANAGED_BY.value) return 'kept';
  const merged = merge(present, wanted);
  const would = await resource.update(merged, { signal, query: { dryRun: 'All' } });
  if (isDeepStrictEqual(comparable(would), comparable(present))) return 'unchanged';
  if (!dryRun) await resource.update(merged, { signal });
  return 'updated';
}

function merge(present: KubeObject, wanted: KubeObject): KubeObject {
  const { labels, annotations } = wanted.metadata;
  return {
    ...present,
    ...wanted,
    metadata: {
      ...present.metadata,
      ...(labels !== undefined && { labels: { ...present.metadata.labels, ...labels } }),
      ...(annotations !== undefined && { annotations: { ...present.metadata.annotations, ...annotations } }),
    },
  };
}

/** Without what is not content. The types of single objects and of those in lists may be left out by servers. */
function comparable(object: KubeObject): unknown {
  const metadata = Object.entries(object.metadata).filter(([name]) => !VOLATILE.has(name));
  const rest = Object.entries(object).filter(([name]) => !UNSAID.has(name));
  const text = JSON.stringify({ ...Object.fromEntries(rest), metadata: Object.fromEntries(metadata) });
  return JSON.parse(text) as unknown; // without members that are undefined
}

/** The answer, or undefined for 404. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof StatusError && error.status.code === 404) return undefined;
    throw error;
  }
}
