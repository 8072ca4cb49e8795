import { readManifests } from '@hawser/cli';
import { HAWSER_NAMESPACE, NODE_LEASE_NAMESPACE } from '@hawser/cloudcore';
import { resourcePath, RESOURCES, StatusError, type ApiClient, type ApiResource } from '@hawser/kube';
import { kubeConfigClient, loadKubeConfig } from '@hawser/kube/kubeconfig';
import { delay } from '@hawser/seams';
import { NODE_POOLS } from '../pool-site/pool-cluster.ts';
import { NAMESPACE, POOL_NAME } from './demo.ts';

const LOOK_EVERY_MS = 100;
const GONE_LIMIT_MS = 20_000;

/** A cluster that is not this program's: knows what was not there before, and removes it afterwards. */
export class GuestCluster {
  readonly #client: ApiClient;
  readonly #nodes: readonly string[];
  /** Of what `hawser init` makes, in its order. */
  readonly #made: readonly string[];

  private constructor(client: ApiClient, nodes: readonly string[], made: readonly string[]) {
    this.#client = client;
    this.#nodes = nodes;
    this.#made = made;
  }

  /**
   * Looks at a cluster before anything is made there.
   * @param kubeconfig file
   * @param nodes that are to join
   * @throws Error where Hawser, or something with a name of the demonstration, is there already
   */
  static async look(kubeconfig: string, nodes: readonly string[]): Promise<GuestCluster> {
    const client = kubeConfigClient(loadKubeConfig({ path: kubeconfig }));
    try {
      return new GuestCluster(client, nodes, await missingIn(client, nodes));
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Removes what is at the edges, while they run: pods, devices, and the namespace around them. */
  async removeWorkload(): Promise<void> {
    const pods = resourcePath(RESOURCES.pods, { namespace: NAMESPACE });
    const deployments = resourcePath(RESOURCES.deployments, { namespace: NAMESPACE });
    await this.#remove(deployments);
    await this.#remove(pods, { gracePeriodSeconds: 0 });
    await this.#remove(resourcePath(RESOURCES.namespaces, { name: NAMESPACE }));
    await this.#untilGone(NAMESPACE);
  }

  /** Removes all the rest, once edges and hub have stopped. */
  async close(): Promise<void> {
    for (const name of this.#nodes) {
      await this.#remove(resourcePath(RESOURCES.nodes, { name }));
      await this.#remove(resourcePath(RESOURCES.leases, { namespace: NODE_LEASE_NAMESPACE, name }));
    }
    await this.#remove(resourcePath(NODE_POOLS, { name: POOL_NAME }));
    for (const path of this.#made.toReversed()) await this.#remove(path);
    await this.#remove(resourcePath(RESOURCES.namespaces, { name: HAWSER_NAMESPACE }));
    await this.#untilGone(HAWSER_NAMESPACE);
    this.#client.close();
  }

  async #remove(path: string, body: object = {}): Promise<void> {
    await unlessMissing(this.#client.request({ method: 'DELETE', path, body }));
  }

  async #untilGone(namespace: string): Promise<void> {
    const path = resourcePath(RESOURCES.namespaces, { name: namespace });
    const lateMs = performance.now() + GONE_LIMIT_MS;
    while (await isThere(this.#client, path)) {
      if (performance.now() > lateMs) throw new Error(`the namespace ${namespace} is still being deleted`);
      await delay(LOOK_EVERY_MS);
    }
  }
}

/** What `hawser init` would have to make. @throws Error where something is in the way */
async function missingIn(client: ApiClient, nodes: readonly string[]): Promise<readonly string[]> {
  for (const name of [HAWSER_NAMESPACE, NAMESPACE])
    if (await isThere(client, resourcePath(RESOURCES.namespaces, { name })))
      throw new Error(
        `the cluster has a namespace ${name} already: the demonstration brings a hub of its own, and would mix with what is there. ` +
          `Choose another cluster; if a demonstration that was killed has left it: kubectl delete namespace ${HAWSER_NAMESPACE} ${NAMESPACE}`,
      );
  for (const name of nodes)
    if (await isThere(client, resourcePath(RESOURCES.nodes, { name })))
      throw new Error(
        `the cluster has a node ${name} already. If it was left by a demonstration: kubectl delete node ${name}`,
      );
  const paths = await manifestPaths();
  const there = await Promise.all(paths.map((path) => isThere(client, path)));
  return paths.filter((_, index) => there[index] !== true);
}

async function isThere(client: ApiClient, path: string): Promise<boolean> {
  return (await unlessMissing(client.request({ method: 'GET', path }))) !== undefined;
}

async function unlessMissing(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof StatusError && error.status.code === 404) return undefined;
    throw error;
  }
}

/** Where the objects are that `hawser init` applies. */
async function manifestPaths(): Promise<readonly string[]> {
  const folders = await Promise.all(
    (['crds', 'rbac', 'mapper-schemas'] as const).map((folder) => readManifests(folder)),
  );
  return folders.flat().map(({ apiVersion, kind, metadata: { namespace, name } }) => {
    const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const resource: ApiResource = {
      // All of these kinds have a plain plural.
      ...{ group, version, kind, resource: `${kind.toLowerCase()}s`, namespaced: namespace !== undefined },
    };
    return resourcePath(resource, {
      ...(namespace !== undefined && { namespace }),
      ...(name !== undefined && { name }),
    });
  });
}
