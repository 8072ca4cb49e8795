import { resourcePath, RESOURCES } from '@hawser/kube';
import { ClusterSite, type ClusterSiteOptions } from '../../src/cluster-site/cluster-site.ts';
import {
  createPool,
  createServices,
  defineResources,
  NODE_POOLS,
  POOL,
  type Bench,
} from '../../src/index.ts';

/** Services, with a slice of ten endpoints each. */
export const SERVICES = 1_000;

/** A cloud with a pool and its Services. */
export async function openPoolCloud(
  bench: Bench,
  services: number,
  options: ClusterSiteOptions = {},
): Promise<ClusterSite> {
  bench.say(`writing ${services} Services with their EndpointSlices …`);
  const site = await ClusterSite.open({
    ...options,
    hub: {
      logLevel: 'error',
      heartbeatSeconds: 10,
      limits: { maxConnectionsPerAddress: 1_000 },
      ...options.hub,
    },
    controlPlane: { controllers: false },
    prepare: async (cluster) => {
      await defineResources(cluster, [NODE_POOLS]);
      await createPool(cluster.client);
      await createServices(cluster.client, services);
    },
  });
  bench.onEnd(() => site.close());
  return site;
}

/** How members come to what is the same for all of them: from a leader, each by itself, or not at all. */
export type Sharing = 'led' | 'alone' | 'none';

/** Switches between them. A pool of type `Cloud` has no members. */
export async function setSharing(site: ClusterSite, sharing: Sharing): Promise<void> {
  const spec = { type: sharing === 'none' ? 'Cloud' : 'Edge', enableLeaderElection: sharing === 'led' };
  await site.objects.patch(NODE_POOLS, POOL, { spec });
}

/** Nodes of the pool that only exist as objects: they are in the roster, and nobody reaches them. */
export async function createAbsentMembers(site: ClusterSite, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const labels = { 'hawser.dev/edge': '', 'apps.openyurt.io/nodepool': POOL };
    const body = { apiVersion: 'v1', kind: 'Node', metadata: { name: `absent-${index}`, labels } };
    await site.client.request({ method: 'POST', path: resourcePath(RESOURCES.nodes, {}), body });
  }
}
