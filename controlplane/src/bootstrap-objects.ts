import { randomUUID } from 'node:crypto';
import {
  createBootstrapPolicy,
  formatTime,
  isPlainObject,
  StatusError,
  type KubeObject,
  type ObjectStore,
} from '@hawser/kube';
import { KUBELET_CLIENT } from './pki/cluster-pki.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const PRIORITY_CLASSES: readonly (readonly [name: string, value: number, description: string])[] = [
  [
    'system-cluster-critical',
    2_000_000_000,
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  ],
  [
    'system-node-critical',
    2_000_001_000,
    'Used for system critical pods that must not be moved from their current node.',
  ],
];

const RBAC = 'rbac.authorization.k8s.io';
const KUBELET_ADMIN = 'system:kubelet-api-admin';
/** Where others read which authority has signed the certificates of clients. */
const AUTHENTICATION = 'extension-apiserver-authentication';

/** What differs from one control plane to another. */
export interface BootstrapFacts {
  readonly nowMs: number;
  /** Authority of clients' certificates, PEM. */
  readonly clientCa: string;
}

/**
 * Creates what every cluster has and nobody asks for: the system's namespaces, priority classes, roles and bindings.
 * What is there stays as it is. Service accounts and CA bundles are the controllers' business.
 * Source: kubernetes pkg/controlplane (system namespaces), plugin/pkg/admission/priority, rbac/bootstrappolicy.
 */
export async function createBootstrapObjects(
  store: ObjectStore,
  { nowMs, clientCa }: BootstrapFacts,
): Promise<void> {
  const metadata = (name: string): KubeObject['metadata'] => ({
    name,
    uid: randomUUID(),
    creationTimestamp: formatTime(nowMs),
  });
  const namespaces = NAMESPACES.map((name) =>
    createIfMissing(
      store,
      { group: '', resource: 'namespaces', name },
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { ...metadata(name), labels: { 'kubernetes.io/metadata.name': name } },
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      },
    ),
  );
  const classes = PRIORITY_CLASSES.map(([name, value, description]) =>
    createIfMissing(
      store,
      { group: 'scheduling.k8s.io', resource: 'priorityclasses', name },
      {
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { ...metadata(name), generation: 1 },
        value,
        description,
        preemptionPolicy: 'PreemptLowerPriority',
      },
    ),
  );
  await Promise.all([...namespaces, ...classes, createBootstrapPolicy(store, nowMs)]);
  // The API server itself is nobody's master at kubelets: it may do there what it does.
  await createIfMissing(
    store,
    { group: RBAC, resource: 'clusterrolebindings', name: KUBELET_CLIENT },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: metadata(KUBELET_CLIENT),
      subjects: [{ kind: 'User', apiGroup: RBAC, name: KUBELET_CLIENT }],
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: KUBELET_ADMIN },
    },
  );
  await publishClientAuthority(store, metadata(AUTHENTICATION), clientCa);
}

/**
 * Writes the authority of clients into kube-system, where hubs and extension servers look for it; a new authority is
 * written over the former one. Source: kubernetes pkg/controlplane/controller/clusterauthenticationtrust.
 */
async function publishClientAuthority(
  store: ObjectStore,
  metadata: KubeObject['metadata'],
  clientCa: string,
): Promise<void> {
  const key = { group: '', resource: 'configmaps', namespace: 'kube-system', name: AUTHENTICATION };
  const present = store.get(key);
  const known = isPlainObject(present?.object['data']) ? present.object['data'] : {};
  if (known['client-ca-file'] === clientCa) return;
  const data = { ...known, 'client-ca-file': clientCa };
  if (present === undefined) {
    const { namespace } = key;
    await store.create(key, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, namespace },
      data,
    });
  } else await store.update(key, present.resourceVersion, { ...present.object, data });
}

async function createIfMissing(
  store: ObjectStore,
  at: { readonly group: string; readonly resource: string; readonly name: string },
  object: KubeObject,
): Promise<void> {
  const key = { ...at, namespace: '' };
  if (store.get(key) !== undefined) return;
  try {
    await store.create(key, object);
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.reason !== 'AlreadyExists') throw error;
  }
}
