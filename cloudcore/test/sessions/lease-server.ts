import { HttpApiClient, ResourceClient, RESOURCES, type Lease } from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { silentLogger } from '@hawser/seams';
import { Registry } from 'prom-client';
import { LeaseKeeper, type LeaseKeeperOptions } from '../../src/sessions/lease-keeper.ts';
import { WatchedClient } from '../watched-client.ts';

const NAMESPACE = 'kube-node-lease';

/** One replica of the hub, as far as leases go. */
export interface Replica {
  readonly keeper: LeaseKeeper;
  readonly client: WatchedClient;
  readonly registry: Registry;
  /** `node@epoch` of sessions that were fenced. */
  readonly fenced: string[];
}

/** An API server with any number of replicas before it. */
export class LeaseServer {
  readonly kube: KubeFixture;
  readonly leases: ResourceClient<Lease>;
  readonly nodes: ResourceClient;
  readonly #direct: HttpApiClient;
  readonly #replicas: Replica[] = [];

  constructor(kube: KubeFixture) {
    this.kube = kube;
    this.#direct = new HttpApiClient({ server: kube.url });
    this.leases = new ResourceClient<Lease>(this.#direct, RESOURCES.leases);
    this.nodes = new ResourceClient(this.#direct, RESOURCES.nodes);
  }

  replica(name: string, options: Partial<LeaseKeeperOptions> = {}): Replica {
    const client = new WatchedClient(new HttpApiClient({ server: this.kube.url }));
    const registry = new Registry();
    const fenced: string[] = [];
    const keeper = new LeaseKeeper({
      client,
      replica: name,
      nodeUid: () => undefined,
      onFenced: (node, epoch) => fenced.push(`${node}@${epoch}`),
      log: silentLogger,
      registry,
      intervalMs: 100,
      ...options,
    });
    keeper.start();
    const replica = { keeper, client, registry, fenced };
    this.#replicas.push(replica);
    return replica;
  }

  lease(node: string): Promise<Lease> {
    return this.leases.get(NAMESPACE, node);
  }

  async annotations(node: string): Promise<Readonly<Record<string, string>>> {
    return (await this.lease(node)).metadata.annotations ?? {};
  }

  async stop(): Promise<void> {
    for (const { keeper, client } of this.#replicas) {
      await keeper.stop();
      client.close();
    }
    this.#direct.close();
    await this.kube.stop();
  }
}

/** Starts an API server. */
export async function startLeaseServer(): Promise<LeaseServer> {
  return new LeaseServer(await startKubeFixture());
}
