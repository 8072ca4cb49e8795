import { controllerReference, type KubeObject } from '@hawser/kube';
import type { Node } from '../src/api/node.ts';
import type { Pod, PodSpec, PodStatus } from '../src/api/pod.ts';
import type { DaemonSet, Deployment, ReplicaSet, ReplicaSetStatus } from '../src/api/workloads.ts';

export const T0 = '2026-01-01T00:00:00Z';
export const T0_MS: number = Date.parse(T0);

/** T0 and so many seconds. */
export function at(seconds: number): string {
  return `${new Date(T0_MS + seconds * 1000).toISOString().slice(0, 19)}Z`;
}

export interface PodOptions {
  readonly spec?: Partial<PodSpec>;
  readonly status?: PodStatus;
  readonly metadata?: Partial<KubeObject['metadata']>;
  readonly owner?: KubeObject;
  readonly requests?: Readonly<Record<string, string>>;
}

export function pod(name: string, options: PodOptions = {}): Pod {
  const { spec, status = {}, metadata, owner, requests } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      creationTimestamp: T0,
      ...(owner && { ownerReferences: [controllerReference(owner)] }),
      ...metadata,
    },
    spec: { containers: [{ name: 'main', ...(requests && { resources: { requests } }) }], ...spec },
    status,
  };
}

/** Running on a node and ready since T0. */
export function readyPod(name: string, nodeName: string, options: PodOptions = {}): Pod {
  return pod(name, {
    ...options,
    spec: { nodeName, ...options.spec },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: T0 }],
      ...options.status,
    },
  });
}

export interface NodeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Node['spec'];
  readonly allocatable?: Readonly<Record<string, string>>;
  readonly conditions?: NonNullable<Node['status']>['conditions'];
}

export function node(name: string, options: NodeOptions = {}): Node {
  const { labels = {}, spec, allocatable = { cpu: '4', memory: '8Gi', pods: '110' } } = options;
  const conditions = options.conditions ?? [{ type: 'Ready', status: 'True', lastHeartbeatTime: T0 }];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: `uid-${name}`, labels, creationTimestamp: T0 },
    ...(spec && { spec }),
    status: { allocatable, conditions },
  };
}

export interface SetOptions {
  readonly image?: string;
  readonly status?: Partial<ReplicaSetStatus>;
  readonly metadata?: Partial<KubeObject['metadata']>;
  readonly minReadySeconds?: number;
}

export function replicaSet(name: string, replicas: number, options: SetOptions = {}): ReplicaSet {
  const { image = 'a', status, metadata, minReadySeconds } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      creationTimestamp: T0,
      generation: 1,
      ...metadata,
    },
    spec: {
      replicas,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web', 'pod-template-hash': name } },
        spec: { containers: [{ name: 'main', image }] },
      },
    },
    status: { replicas: 0, ...status },
  };
}

export function deployment(
  replicas: number,
  options: Partial<Deployment['spec']> & { image?: string } = {},
): Deployment {
  const { image = 'a', ...spec } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', uid: 'uid-web', generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image }] } },
      ...spec,
    },
  };
}

export function daemonSet(spec: Partial<DaemonSet['spec']> = {}, podSpec: Partial<PodSpec> = {}): DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'default', uid: 'uid-agent', generation: 1 },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      template: {
        metadata: { labels: { app: 'agent' } },
        spec: { containers: [{ name: 'main' }], ...podSpec },
      },
      ...spec,
    },
  };
}
