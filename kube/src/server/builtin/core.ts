import type { ResourceDefinition } from '../registry/definition.ts';
import { builtIn } from './define.ts';
import { specStatus, statusSubresource } from './strategies.ts';

/** Resources of the core group. */
export function coreResources(): ResourceDefinition[] {
  return [
    builtIn({ kind: 'ConfigMap', resource: 'configmaps', shortNames: ['cm'] }),
    builtIn({ kind: 'Secret', resource: 'secrets' }),
    builtIn({
      kind: 'ServiceAccount',
      resource: 'serviceaccounts',
      shortNames: ['sa'],
      strategy: { returnDeletedObject: true },
    }),
    builtIn({ kind: 'Endpoints', resource: 'endpoints', singular: 'endpoints', shortNames: ['ep'] }),
    builtIn({ kind: 'Event', resource: 'events', shortNames: ['ev'], struct: 'core.Event' }),
    builtIn({
      kind: 'Namespace',
      resource: 'namespaces',
      shortNames: ['ns'],
      namespaced: false,
      subresources: [statusSubresource()],
    }),
    builtIn({
      kind: 'Node',
      resource: 'nodes',
      shortNames: ['no'],
      namespaced: false,
      subresources: [statusSubresource()],
      strategy: {
        prepareForUpdate: specStatus('Node', { generation: false, status: true }).prepareForUpdate,
      },
    }),
    builtIn({
      kind: 'Pod',
      resource: 'pods',
      shortNames: ['po'],
      categories: ['all'],
      subresources: [statusSubresource()],
      strategy: { ...specStatus('Pod', { generation: true, status: true }), returnDeletedObject: true },
    }),
    builtIn({
      kind: 'Service',
      resource: 'services',
      shortNames: ['svc'],
      categories: ['all'],
      subresources: [statusSubresource()],
      strategy: { ...specStatus('Service', { generation: false, status: true }), returnDeletedObject: true },
    }),
  ];
}
