import { HttpApiClient, ResourceClient, RESOURCES, type Lease } from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { silentLogger, systemClock, systemRandom } from '@hawser/seams';
import { Registry } from 'prom-client';
import { HAWSER_NAMESPACE } from '../../src/cluster/names.ts';
import { ElectionKeeper, type ElectionCause } from '../../src/pools/elections.ts';
import { MemberStates, type MemberReport } from '../../src/pools/member-states.ts';
import type { NodePool } from '../../src/pools/node-pool.ts';
import { PoolLeases } from '../../src/pools/pool-leases.ts';
import { poolMetrics } from '../../src/pools/pool-metrics.ts';
import { poolTimes } from '../../src/pools/pool-times.ts';
import { WatchedClient } from '../watched-client.ts';

/** All tests of elections are about this pool. */
export const POOL = 'shop';
/** 200 ms for 5 s: a Lease lasts a second, a silence counts from 480 ms on. */
export const TIMES = poolTimes(0.2);

/** A session as elections see it. */
export interface HeardSession {
  heardMs: number;
  readonly info: { readonly heartbeatMs: number };
}

const NODE_POOL: NodePool = {
  ...{ name: POOL, uid: 'uid-of-shop', apiVersion: 'apps.openyurt.io/v1beta2' },
  ...{ shares: true, resources: [], elects: true, leaderLabels: {} },
  ...{ labels: {}, annotations: {}, taints: [], status: {} },
};

/** One replica of the hub, as far as elections go. */
export class ElectionReplica {
  readonly client: WatchedClient;
  readonly leases: PoolLeases;
  readonly members = new MemberStates(systemClock);
  readonly keeper: ElectionKeeper;
  /** `cause leader` of each that this replica has appointed. */
  readonly elected: string[] = [];
  readonly #site: ElectionSite;
  readonly #ended = new Map<string, () => boolean>();
  readonly #warm = new Map<string, NodeJS.Timeout>();

  constructor(site: ElectionSite, name: string) {
    this.#site = site;
    this.client = new WatchedClient(new HttpApiClient({ server: site.kube.url }));
    const shared = { clock: systemClock, random: systemRandom, log: silentLogger };
    this.leases = new PoolLeases({
      ...{ ...shared, client: this.client },
      onLease: (pool) => this.keeper.look(pool),
      onState: () => this.keeper.look(POOL),
    });
    this.keeper = new ElectionKeeper({
      ...{ ...shared, leases: this.leases, members: this.members, replica: name, times: TIMES },
      table: {
        pool: (pool) => (pool === POOL ? site.pool : undefined),
        members: () => site.nodes,
        facts: (node) => ({
          ...{ uid: node, labels: site.labels.get(node) ?? {}, annotations: {}, ready: 'True' },
          kubelet: { addresses: {}, port: 0 },
        }),
      },
      onElected: (_pool, leader, cause: ElectionCause) => this.elected.push(`${cause} ${leader}`),
      metrics: poolMetrics(new Registry(), {
        ...{ pools: () => 0, members: () => 0, led: () => 0, grants: () => 0 },
        ...{ streams: () => [], resources: () => [] },
      }),
    });
    this.leases.start();
    this.keeper.start();
  }

  get leader(): string {
    return this.keeper.leadership(POOL).leader;
  }

  get epoch(): number {
    return this.keeper.leadership(POOL).epoch;
  }

  /** A node has a session here, is heard again and again, and says that it may lead. */
  connect(node: string, report: Partial<MemberReport> = {}): HeardSession {
    const session = { heardMs: systemClock.monotonicMs(), info: { heartbeatMs: 100 } };
    this.#ended.set(node, this.members.opened(node, session));
    this.#warm.set(
      node,
      setInterval(() => (session.heardMs = systemClock.monotonicMs()), 20),
    );
    this.report(node, report);
    return session;
  }

  report(node: string, report: Partial<MemberReport> = {}): void {
    this.members.reported(node, {
      ...{
        pool: POOL,
        endpoint: `${node}:1`,
        epoch: 0,
        version: '',
        complete: true,
        writable: true,
        peers: 0,
      },
      ...report,
    });
    this.keeper.reported(POOL, report.epoch ?? 0);
    this.keeper.look(POOL);
  }

  /** Nothing more is heard of a node, though its session is there. */
  silence(node: string): void {
    clearInterval(this.#warm.get(node));
  }

  disconnect(node: string): void {
    this.silence(node);
    this.#ended.get(node)?.();
    this.keeper.look(POOL);
  }

  claim(node: string, epoch: number, silentMs = 1000): Promise<{ epoch: number; leader: string }> {
    return this.keeper.claim(node, { pool: POOL, epoch, silentMs }, this.#site.signal);
  }

  async stop(): Promise<void> {
    for (const timer of this.#warm.values()) clearInterval(timer);
    await this.keeper.stop();
    await this.leases.stop();
    this.client.close();
  }
}

/** An API server with any number of replicas before it, and one pool. */
export class ElectionSite {
  readonly kube: KubeFixture;
  readonly leases: ResourceClient<Lease>;
  pool: NodePool | undefined = NODE_POOL;
  nodes: readonly string[] = ['a', 'b', 'c'];
  readonly labels = new Map<string, Readonly<Record<string, string>>>();
  readonly #direct: HttpApiClient;
  readonly #replicas: ElectionReplica[] = [];
  readonly #ending = new AbortController();

  private constructor(kube: KubeFixture) {
    this.kube = kube;
    this.#direct = new HttpApiClient({ server: kube.url });
    this.leases = new ResourceClient<Lease>(this.#direct, RESOURCES.leases);
  }

  static async open(): Promise<ElectionSite> {
    const namespaces = ['default', HAWSER_NAMESPACE];
    return new ElectionSite(await startKubeFixture({ namespaces, server: { limits: { stopMs: 50 } } }));
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  replica(name: string): ElectionReplica {
    const replica = new ElectionReplica(this, name);
    this.#replicas.push(replica);
    return replica;
  }

  lease(): Promise<Lease> {
    return this.leases.get(HAWSER_NAMESPACE, `pool-${POOL}`);
  }

  async close(): Promise<void> {
    for (const replica of this.#replicas) await replica.stop();
    this.#direct.close();
    await this.kube.stop();
  }
}
