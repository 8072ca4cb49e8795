import type { ApiResource } from './api-resource.ts';

function builtIn(group: string, resource: string, kind: string, namespaced: boolean): ApiResource {
  return { group, version: 'v1', resource, kind, namespaced };
}

/** The built-in resources that Hawser reads or writes, by their plural. */
export const RESOURCES = {
  configmaps: builtIn('', 'configmaps', 'ConfigMap', true),
  endpoints: builtIn('', 'endpoints', 'Endpoints', true),
  events: builtIn('', 'events', 'Event', true),
  namespaces: builtIn('', 'namespaces', 'Namespace', false),
  nodes: builtIn('', 'nodes', 'Node', false),
  persistentvolumeclaims: builtIn('', 'persistentvolumeclaims', 'PersistentVolumeClaim', true),
  persistentvolumes: builtIn('', 'persistentvolumes', 'PersistentVolume', false),
  pods: builtIn('', 'pods', 'Pod', true),
  secrets: builtIn('', 'secrets', 'Secret', true),
  serviceaccounts: builtIn('', 'serviceaccounts', 'ServiceAccount', true),
  services: builtIn('', 'services', 'Service', true),
  daemonsets: builtIn('apps', 'daemonsets', 'DaemonSet', true),
  deployments: builtIn('apps', 'deployments', 'Deployment', true),
  replicasets: builtIn('apps', 'replicasets', 'ReplicaSet', true),
  jobs: builtIn('batch', 'jobs', 'Job', true),
  leases: builtIn('coordination.k8s.io', 'leases', 'Lease', true),
  endpointslices: builtIn('discovery.k8s.io', 'endpointslices', 'EndpointSlice', true),
  customresourcedefinitions: builtIn(
    'apiextensions.k8s.io',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    false,
  ),
} as const satisfies Readonly<Record<string, ApiResource>>;
