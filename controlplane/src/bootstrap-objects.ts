import { randomUUID } from 'node:crypto';
import {
  createBootstrapPolicy,
  formatTime,
  StatusError,
  type KubeObject,
  type ObjectStore,
} from '@hawser/kube';

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

/**
 * Creates what every cluster has and nobody asks for: the system's namespaces, priority classes, roles and bindings.
 * What is there stays as it is. Service accounts and CA bundles are the controllers' business.
 * Source: kubernetes pkg/controlplane (system namespaces), plugin/pkg/admission/priority, rbac/bootstrappolicy.
 */
export async function createBootstrapObjects(store: ObjectStore, nowMs: number): Promise<void> {
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
