import { resourcePath, RESOURCES, type ApiClient, type ApiResource, type KubeObject } from '@hawser/kube';
import { poolService, poolSlice } from './pool-objects.ts';

/** NodePools of OpenYurt. */
export const NODE_POOLS: ApiResource = {
  group: 'apps.openyurt.io',
  version: 'v1beta2',
  resource: 'nodepools',
  kind: 'NodePool',
  namespaced: false,
};

/** The one pool of tests and benches. */
export const POOL = 'shop';
/** Calls under way at a time while many objects are made. */
const AT_A_TIME = 16;

/** Makes the NodePool {@link POOL}. @param spec what differs from one that elects leaders */
export async function createPool(
  client: ApiClient,
  spec: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const body: KubeObject = {
    apiVersion: 'apps.openyurt.io/v1beta2',
    kind: NODE_POOLS.kind,
    metadata: { name: POOL },
    spec: { type: 'Edge', interConnectivity: true, enableLeaderElection: true, ...spec },
  };
  await client.request({ method: 'POST', path: resourcePath(NODE_POOLS, {}), body });
}

/** Makes Services with a slice of ten endpoints each. */
export async function createServices(client: ApiClient, count: number): Promise<void> {
  const left = Array.from({ length: count }, (_, index) => index);
  const worker = async (): Promise<void> => {
    for (let index = left.shift(); index !== undefined; index = left.shift()) {
      await post(client, RESOURCES.services, poolService(index));
      await post(client, RESOURCES.endpointslices, poolSlice(index));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

/** Replaces an EndpointSlice. */
export async function putSlice(client: ApiClient, slice: KubeObject): Promise<KubeObject> {
  const { name = '' } = slice.metadata;
  const path = resourcePath(RESOURCES.endpointslices, { namespace: 'default', name });
  return (await client.request({ method: 'PUT', path, body: slice })) as KubeObject;
}

async function post(client: ApiClient, resource: ApiResource, body: KubeObject): Promise<void> {
  await client.request({ method: 'POST', path: resourcePath(resource, { namespace: 'default' }), body });
}
