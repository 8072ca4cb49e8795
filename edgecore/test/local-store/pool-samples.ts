import type { PoolResource } from '@hawser/sync';
import { ENDPOINTS, SERVICES, SLICES, type PoolModel } from './pool-model.ts';

const RBAC = 'rbac.authorization.k8s.io';
const CLUSTER_ROLES = rbac('clusterroles', 'ClusterRole', false);
const CLUSTER_ROLE_BINDINGS = rbac('clusterrolebindings', 'ClusterRoleBinding', false);
const ROLES = rbac('roles', 'Role', true);
const ROLE_BINDINGS = rbac('rolebindings', 'RoleBinding', true);

/** Resources of {@link fillCluster}. */
export const CLUSTER_RESOURCES: readonly PoolResource[] = [
  ...[SERVICES, SLICES, ENDPOINTS],
  ...[CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS],
];

function rbac(resource: string, kind: string, namespaced: boolean): PoolResource {
  return { group: RBAC, version: 'v1', resource, kind, namespaced };
}

function uuid(n: number): string {
  return `7f0c8a3e-1d2b-4c5d-8e9f-${String(n).padStart(12, '0')}`;
}

function ip(n: number): string {
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
}

/** A slice as the endpoint slice controller writes it. */
export function sampleSlice(service: string, first: number, count: number, port = 8080): object {
  return {
    addressType: 'IPv4',
    metadata: {
      uid: uuid(first),
      generateName: `${service}-`,
      generation: 7,
      creationTimestamp: '2026-11-01T08:00:00Z',
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-11-22T10:00:00Z' },
      labels: {
        app: service,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': service,
      },
      ownerReferences: [
        {
          ...{ apiVersion: 'v1', kind: 'Service', name: service, uid: uuid(first) },
          ...{ controller: true, blockOwnerDeletion: true },
        },
      ],
    },
    endpoints: Array.from({ length: count }, (_, n) => ({
      addresses: [ip(first + n)],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${(first + n) % 500}`,
      targetRef: { kind: 'Pod', name: `${service}-6c7b9d-${n}`, namespace: 'shop', uid: uuid(first + n) },
      zone: `zone-${n % 3}`,
    })),
    ports: [
      { name: 'http', port, protocol: 'TCP' },
      { name: 'metrics', port: 9090, protocol: 'TCP' },
    ],
  };
}

function sampleEndpoints(service: string, first: number, count: number): object {
  return {
    metadata: { uid: uuid(first), labels: { app: service } },
    subsets: [
      {
        addresses: Array.from({ length: count }, (_, n) => ({
          ip: ip(first + n),
          nodeName: `node-${(first + n) % 500}`,
          targetRef: { kind: 'Pod', name: `${service}-6c7b9d-${n}`, namespace: 'shop', uid: uuid(first + n) },
        })),
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ],
  };
}

function sampleService(service: string, first: number): object {
  return {
    metadata: {
      uid: uuid(first),
      creationTimestamp: '2026-11-01T08:00:00Z',
      labels: { app: service, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { 'meta.helm.sh/release-name': service, 'meta.helm.sh/release-namespace': 'shop' },
    },
    spec: {
      ...{ type: 'ClusterIP', clusterIP: ip(first), clusterIPs: [ip(first)], ipFamilies: ['IPv4'] },
      ...{ internalTrafficPolicy: 'Cluster', ipFamilyPolicy: 'SingleStack', sessionAffinity: 'None' },
      ports: [
        { name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 },
        { name: 'metrics', port: 9090, protocol: 'TCP', targetPort: 'metrics' },
      ],
      selector: { app: service },
    },
    status: { loadBalancer: {} },
  };
}

/**
 * A cluster of 1,000 pods behind 250 Services, and 500 nodes with three DaemonSets that have a Service each, with
 * Endpoints and EndpointSlices; RBAC as Kubernetes brings it, and that of a dozen add-ons.
 */
export function fillCluster(model: PoolModel): void {
  for (const resource of CLUSTER_RESOURCES) model.share(resource);
  const add = (service: string, first: number, count: number): void => {
    model.put(SERVICES, 'shop', service, sampleService(service, first));
    model.put(ENDPOINTS, 'shop', service, sampleEndpoints(service, first, count));
    for (let from = 0; from < count; from += 100) {
      const part = sampleSlice(service, first + from, Math.min(100, count - from));
      model.put(SLICES, 'shop', `${service}-${from}`, part);
    }
  };
  for (let n = 0; n < 250; n += 1) add(`service-${n}`, n * 4, 4);
  for (let n = 0; n < 3; n += 1) add(`daemon-${n}`, 10_000 * (n + 1), 500);
  const rules = (count: number): object[] =>
    Array.from({ length: count }, (_, n) => ({
      apiGroups: [`group-${n}.example.com`],
      resources: [`resources-${n}`, `resources-${n}/status`, `resources-${n}/finalizers`],
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    }));
  const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
  for (let n = 0; n < 72; n += 1)
    model.put(CLUSTER_ROLES, '', `system:role-${n}`, { metadata: { labels }, rules: rules(1 + (n % 12)) });
  for (let n = 0; n < 58; n += 1)
    model.put(CLUSTER_ROLE_BINDINGS, '', `system:role-${n}`, {
      metadata: { labels },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: `system:role-${n}` },
      subjects: [{ kind: 'ServiceAccount', name: `account-${n}`, namespace: 'kube-system' }],
    });
  for (let n = 0; n < 12; n += 1) {
    model.put(ROLES, 'kube-system', `role-${n}`, { rules: rules(3) });
    model.put(ROLE_BINDINGS, 'kube-system', `role-${n}`, {
      roleRef: { apiGroup: RBAC, kind: 'Role', name: `role-${n}` },
      subjects: [{ kind: 'ServiceAccount', name: `account-${n}`, namespace: 'kube-system' }],
    });
  }
}
