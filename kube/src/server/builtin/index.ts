import type { ResourceDefinition } from '../registry/definition.ts';
import { builtIn } from './define.ts';
import { coreResources } from './core.ts';
import { plainResources } from './plain.ts';
import { specStatus, statusSubresource } from './strategies.ts';

/** Every built-in resource. */
export function builtInResources(): ResourceDefinition[] {
  const apps = (kind: string, resource: string, shortName: string): ResourceDefinition =>
    builtIn({
      group: 'apps',
      kind,
      resource,
      shortNames: [shortName],
      categories: ['all'],
      subresources: [statusSubresource()],
      strategy: specStatus(kind, { generation: true, status: true }),
    });
  return [
    ...coreResources(),
    apps('Deployment', 'deployments', 'deploy'),
    apps('ReplicaSet', 'replicasets', 'rs'),
    apps('DaemonSet', 'daemonsets', 'ds'),
    apps('StatefulSet', 'statefulsets', 'sts'),
    builtIn({
      group: 'coordination.k8s.io',
      kind: 'Lease',
      resource: 'leases',
      strategy: { allowCreateOnUpdate: true, allowUnconditionalUpdate: false },
    }),
    ...plainResources(),
  ];
}
