import { randomUUID } from 'node:crypto';
import type { KubeObject } from '../../meta/object.ts';
import { StatusError } from '../../status/status.ts';
import type { ObjectStore } from '../../store/store.ts';
import { apiTime } from '../draft.ts';

const GROUP = 'rbac.authorization.k8s.io';
const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

interface Role {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** Groups that it is bound to. */
  readonly groups?: readonly string[];
}

const CORE_READ = [
  ...['bindings', 'configmaps', 'endpoints', 'events', 'limitranges', 'namespaces', 'namespaces/status'],
  ...['persistentvolumeclaims', 'persistentvolumeclaims/status', 'pods', 'pods/log', 'pods/status'],
  ...['resourcequotas', 'resourcequotas/status', 'serviceaccounts', 'services', 'services/status'],
];
const CORE_WRITE = [
  ...[
    'configmaps',
    'events',
    'persistentvolumeclaims',
    'pods',
    'pods/attach',
    'pods/exec',
    'pods/portforward',
  ],
  ...['pods/proxy', 'secrets', 'serviceaccounts', 'services', 'services/proxy'],
];
const APPS = [
  ...['controllerrevisions', 'daemonsets', 'daemonsets/status', 'deployments', 'deployments/scale'],
  ...['deployments/status', 'replicasets', 'replicasets/scale', 'replicasets/status', 'statefulsets'],
  ...['statefulsets/scale', 'statefulsets/status'],
];
const APPS_WRITE = APPS.filter(
  (resource) => !resource.endsWith('/status') && resource !== 'controllerrevisions',
);
const BATCH = ['cronjobs', 'cronjobs/status', 'jobs', 'jobs/status'];
const NETWORKING = ['ingresses', 'ingresses/status', 'networkpolicies'];
const BUDGETS = ['poddisruptionbudgets', 'poddisruptionbudgets/status'];

const VIEW: readonly Rule[] = [
  { apiGroups: [''], resources: CORE_READ, verbs: READ },
  { apiGroups: ['apps'], resources: APPS, verbs: READ },
  { apiGroups: ['batch'], resources: BATCH, verbs: READ },
  { apiGroups: ['networking.k8s.io'], resources: NETWORKING, verbs: READ },
  { apiGroups: ['policy'], resources: BUDGETS, verbs: READ },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ },
];
const EDIT: readonly Rule[] = [
  ...VIEW,
  { apiGroups: [''], resources: CORE_WRITE, verbs: WRITE },
  {
    apiGroups: [''],
    resources: ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'],
    verbs: READ,
  },
  { apiGroups: [''], resources: ['pods/eviction', 'serviceaccounts/token'], verbs: ['create'] },
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] },
  { apiGroups: ['apps'], resources: APPS_WRITE, verbs: WRITE },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs: WRITE },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'], verbs: WRITE },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: WRITE },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...READ, ...WRITE] },
];

/** Source: kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy, cut to what is served here. */
const ROLES: readonly Role[] = [
  {
    name: 'cluster-admin',
    rules: [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ],
    groups: ['system:masters'],
  },
  {
    name: 'system:discovery',
    rules: [
      {
        nonResourceURLs: [
          ...[
            '/api',
            '/api/*',
            '/apis',
            '/apis/*',
            '/healthz',
            '/livez',
            '/openapi',
            '/openapi/*',
            '/readyz',
          ],
          ...['/version', '/version/'],
        ],
        verbs: ['get'],
      },
    ],
    groups: ['system:authenticated'],
  },
  {
    // Source: KEP-1393.
    name: 'system:service-account-issuer-discovery',
    rules: [
      {
        nonResourceURLs: [
          ...['/.well-known/openid-configuration', '/.well-known/openid-configuration/'],
          ...['/openid/v1/jwks', '/openid/v1/jwks/'],
        ],
        verbs: ['get'],
      },
    ],
    groups: ['system:serviceaccounts'],
  },
  {
    name: 'system:basic-user',
    rules: [
      {
        apiGroups: ['authorization.k8s.io'],
        resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
        verbs: ['create'],
      },
      { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
    ],
    groups: ['system:authenticated'],
  },
  {
    name: 'system:public-info-viewer',
    rules: [{ nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'], verbs: ['get'] }],
    groups: ['system:authenticated', 'system:unauthenticated'],
  },
  {
    name: 'system:monitoring',
    rules: [
      {
        nonResourceURLs: ['/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/readyz', '/readyz/*'],
        verbs: ['get'],
      },
    ],
    groups: ['system:monitoring'],
  },
  {
    name: 'admin',
    rules: [
      ...EDIT,
      { apiGroups: [GROUP], resources: ['rolebindings', 'roles'], verbs: [...READ, ...WRITE] },
      { apiGroups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'], verbs: ['create'] },
    ],
  },
  { name: 'edit', rules: EDIT },
  { name: 'view', rules: VIEW },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      { apiGroups: [''], resources: ['nodes'], verbs: [...READ, 'proxy'] },
      {
        apiGroups: [''],
        resources: [
          ...['nodes/configz', 'nodes/healthz', 'nodes/log', 'nodes/metrics', 'nodes/pods', 'nodes/proxy'],
          'nodes/stats',
        ],
        verbs: ['*'],
      },
    ],
  },
  {
    name: 'system:node-bootstrapper',
    rules: [
      {
        apiGroups: ['certificates.k8s.io'],
        resources: ['certificatesigningrequests'],
        verbs: ['create', ...READ],
      },
    ],
  },
];

/**
 * Creates the roles and bindings that every cluster has, as far as they are missing. What an operator changed stays.
 */
export async function createBootstrapPolicy(store: ObjectStore, nowMs: number): Promise<void> {
  for (const { name, rules, groups = [] } of ROLES) {
    await createIfMissing(store, 'clusterroles', object('ClusterRole', name, nowMs, { rules }));
    if (groups.length === 0) continue;
    const binding = {
      subjects: groups.map((group) => ({ kind: 'Group', apiGroup: GROUP, name: group })),
      roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name },
    };
    await createIfMissing(store, 'clusterrolebindings', object('ClusterRoleBinding', name, nowMs, binding));
  }
}

async function createIfMissing(store: ObjectStore, resource: string, created: KubeObject): Promise<void> {
  const key = { group: GROUP, resource, namespace: '', name: created.metadata.name ?? '' };
  if (store.get(key) !== undefined) return;
  try {
    await store.create(key, created);
  } catch (error) {
    const taken = error instanceof StatusError && error.status.reason === 'AlreadyExists';
    if (!taken) throw error;
  }
}

function object(kind: string, name: string, nowMs: number, rest: object): KubeObject {
  return {
    kind,
    apiVersion: `${GROUP}/v1`,
    metadata: {
      name,
      uid: randomUUID(),
      creationTimestamp: apiTime(nowMs),
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    },
    ...rest,
  };
}
