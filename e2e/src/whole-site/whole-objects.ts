import { TEST_IMAGES } from '@hawser/edgecore/testing';
import type { KubeObject } from '@hawser/kube';
import { registerDevice, registerModel, type RegisterProperty } from '../devices-site/device-objects.ts';
import { NODE_POOLS, POOL } from '../pool-site/pool-cluster.ts';

/** The Deployment whose pods run in containerd, its Service, and the ConfigMap that they read. */
export const APP = 'web';
export const APP_REPLICAS = 2;
export const SETTINGS = 'settings';
/** The Deployment on the nodes that run nothing. */
export const SHELF = 'shelf';
export const SHELF_REPLICAS = 2;
/** A device of the first node. */
export const DEVICE = 'tank-1';
/** Its unit, and the offsets of its holding registers. */
export const UNIT = 7;
export const REGISTERS = { level: 0, speed: 1, valve: 2 } as const;
/** The label that tells nodes with containers from those without. */
const ROLE = 'role';
/** The service account of programs that read the local API. */
export const READER = 'pool-reader';

const CYCLE = { collectCycle: 100, reportCycle: 100 };
const PROPERTIES: readonly RegisterProperty[] = [
  { name: 'level', offset: REGISTERS.level, ...CYCLE },
  { name: 'speed', offset: REGISTERS.speed, writable: true, desired: '10', ...CYCLE },
  { name: 'valve', offset: REGISTERS.valve, writable: true, ...CYCLE },
];

/** The label of a node: with containers, or without. */
export function roleLabel(hasContainers: boolean): string {
  return `${ROLE}=${hasContainers ? 'kitchen' : 'till'}`;
}

/** The pool of all nodes. */
export function nodePool(): KubeObject {
  return {
    apiVersion: `${NODE_POOLS.group}/${NODE_POOLS.version}`,
    kind: NODE_POOLS.kind,
    metadata: { name: POOL },
    spec: { type: 'Edge', interConnectivity: true, enableLeaderElection: true },
  };
}

/** A service account that may read what pools share. */
export function readerAccount(): readonly KubeObject[] {
  const group = 'rbac.authorization.k8s.io';
  const verbs = ['get', 'list', 'watch'];
  const named = { apiVersion: `${group}/v1`, metadata: { name: READER } };
  const rules = [
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
    { apiGroups: [''], resources: ['services', 'endpoints'], verbs },
  ];
  const subjects = [{ kind: 'ServiceAccount', name: READER, namespace: 'default' }];
  const roleRef = { apiGroup: group, kind: 'ClusterRole', name: READER };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: READER, namespace: 'default' } },
    { ...named, kind: 'ClusterRole', rules },
    { ...named, kind: 'ClusterRoleBinding', subjects, roleRef },
  ];
}

/** Deployments on both kinds of nodes, and the Service of the first. */
export function workload(): readonly KubeObject[] {
  const reader = {
    name: 'main',
    image: TEST_IMAGES.busybox,
    command: ['sh', '-c', 'echo "begun with $(cat /settings/text)"; exec httpd -f -p 8080 -h /settings'],
    ports: [{ containerPort: 8080 }],
    volumeMounts: [{ name: SETTINGS, mountPath: '/settings' }],
  };
  const idle = { name: 'main', image: TEST_IMAGES.busybox };
  return [
    deployment(APP, APP_REPLICAS, 'kitchen', {
      containers: [reader],
      volumes: [{ name: SETTINGS, configMap: { name: SETTINGS } }],
    }),
    deployment(SHELF, SHELF_REPLICAS, 'till', { containers: [idle] }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: APP, namespace: 'default' },
      spec: { selector: { app: APP }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
  ];
}

/** A pod that shows, by running, that the first node has done all that was wanted of it before. */
export function probePod(name: string, node: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'probe' } },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: TEST_IMAGES.busybox, command: ['sleep', '100000'] }],
    },
  };
}

/** The device and its model. @param port of its TCP peer */
export function tank(node: string, port: number): readonly KubeObject[] {
  const at = { node, model: 'tank', port, unit: UNIT };
  return [registerModel('tank', PROPERTIES), registerDevice(DEVICE, at, PROPERTIES)];
}

/** What `kubectl patch --type json` takes to set a property of the device. */
export function desiredPatch(property: keyof typeof REGISTERS, value: string): string {
  const index = PROPERTIES.findIndex(({ name }) => name === property);
  return JSON.stringify([{ op: 'add', path: `/spec/properties/${index}/desired`, value: { value } }]);
}

function deployment(name: string, replicas: number, role: string, spec: object): KubeObject {
  const labels = { app: name };
  const pod = { nodeSelector: { [ROLE]: role }, terminationGracePeriodSeconds: 1, ...spec };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
  };
}
