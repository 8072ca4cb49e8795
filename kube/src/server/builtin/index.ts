import { systemRandom, type Random } from '@hawser/seams';
import type { ResourceDefinition } from '../registry/definition.ts';
import { nameAndAgePrinter } from '../table/default-printer.ts';
import { batchResources } from './batch.ts';
import { certificateResource } from './certificates.ts';
import { configResources } from './config.ts';
import { crdResource } from './crd.ts';
import { builtIn } from './define.ts';
import { endpointResources } from './endpoints.ts';
import { eventResources } from './event.ts';
import { leaseResource } from './lease.ts';
import { namespaceResource } from './namespace.ts';
import { nodeResource } from './node.ts';
import { plainResources } from './plain.ts';
import { podResource } from './pod.ts';
import { rbacResources } from './rbac.ts';
import { reviewResources } from './reviews.ts';
import { ServiceAllocator, type ServiceRanges } from './service-allocator.ts';
import { serviceResource } from './service.ts';
import { workloadResources } from './workloads.ts';

/** Settings of {@link builtInResources}. */
export interface BuiltInOptions {
  readonly serviceRanges?: Partial<ServiceRanges>;
  readonly random?: Random;
}

/** Every built-in resource, for one server. */
export function builtInResources({
  serviceRanges,
  random = systemRandom,
}: BuiltInOptions = {}): ResourceDefinition[] {
  const { endpoints, slices } = endpointResources();
  const [events, newEvents] = eventResources();
  return [
    builtIn({
      kind: 'Binding',
      resource: 'bindings',
      action: 'binding',
    }),
    ...configResources(),
    endpoints,
    ...(events === undefined ? [] : [events]),
    namespaceResource(),
    nodeResource(),
    podResource(),
    builtIn({
      kind: 'ServiceAccount',
      resource: 'serviceaccounts',
      shortNames: ['sa'],
      strategy: { returnDeletedObject: true },
      table: nameAndAgePrinter,
      subresources: [
        {
          name: 'token',
          verbs: ['create'],
          responseKind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
          behaviour: { type: 'action', action: 'token' },
        },
      ],
    }),
    serviceResource(new ServiceAllocator(random, serviceRanges)),
    ...workloadResources(),
    ...(newEvents === undefined ? [] : [newEvents]),
    ...reviewResources(),
    ...batchResources(),
    certificateResource(),
    ...plainResources(),
    ...rbacResources(),
    crdResource(),
    leaseResource(),
    slices,
  ];
}
