import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AdminClient, EdgeConfigInput, PoolStatus } from '@hawser/edgecore';
import type { KubeObject } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { ClusterSite, type ClusterSiteOptions } from '../cluster-site/cluster-site.ts';
import { defineResources } from '../cluster-site/define-resources.ts';
import type { SiteEdge } from '../cluster-site/site-edge.ts';
import { E2eError } from '../errors.ts';
import { SwitchedNetwork, type Station } from '../netns/switched-network.ts';
import type { NodeChild, NodeChildOptions } from '../processes/node-child.ts';
import { createPool, createServices, NODE_POOLS, POOL, putSlice } from './pool-cluster.ts';
import { isLive, leaderOf } from './pool-views.ts';
import { makeReader } from './reader-account.ts';

/** Settings of {@link PoolSite.open}. */
export interface PoolSiteOptions extends Omit<ClusterSiteOptions, 'netns' | 'link'> {
  /** Members, `edge-0` and so on. Default 5. */
  readonly members?: number;
  /** Services with a slice of ten endpoints each, before the first member starts. Default 20. */
  readonly services?: number;
  /** What differs from the spec of the NodePool. */
  readonly pool?: Readonly<Record<string, unknown>>;
  /** Labels of members, by their number, beside those that they have. */
  readonly labels?: Readonly<Record<number, Readonly<Record<string, string>>>>;
  /** What differs from the configuration of its edges. */
  readonly edge?: EdgeConfigInput;
}

const PEER_PORT = 10_263;
/** Where members serve the local API, each in its own namespace. */
export const LOCAL_API_PORT = 10_260;
const LOOK_EVERY_MS = 50;

/**
 * A pool of real edges, each in a network namespace of its own that is plugged into a LAN and into the way to the cloud:
 * what tests of pools stand on. Needs root.
 */
export class PoolSite {
  readonly cluster: ClusterSite;
  readonly network: SwitchedNetwork;
  readonly members: SiteEdge[] = [];
  readonly #options: PoolSiteOptions;
  #token: Promise<string> | undefined;

  private constructor(cluster: ClusterSite, network: SwitchedNetwork, options: PoolSiteOptions) {
    this.cluster = cluster;
    this.network = network;
    this.#options = options;
  }

  /** Opens all of it: the members have joined and run, and a leader is there. */
  static async open(options: PoolSiteOptions = {}): Promise<PoolSite> {
    const { members = 5, services = 20, prepare, hub, hubExecArgv, replicas, controlPlane = {} } = options;
    const network = await SwitchedNetwork.create(members);
    let site: PoolSite | undefined;
    try {
      const cluster = await ClusterSite.open({
        ...(hub !== undefined && { hub }),
        ...(hubExecArgv !== undefined && { hubExecArgv }),
        ...(replicas !== undefined && { replicas }),
        netns: network,
        controlPlane: { controllers: false, ...controlPlane },
        prepare: async (cluster) => {
          await defineResources(cluster, [NODE_POOLS]);
          await prepare?.(cluster);
        },
      });
      site = new PoolSite(cluster, network, options);
      await createPool(cluster.client, options.pool);
      await createServices(cluster.client, services);
      for (let index = 0; index < members; index++) site.members.push(await site.joined(index));
      await Promise.all(site.members.map((member) => member.start()));
      await site.untilLed();
      return site;
    } catch (error) {
      await site?.close();
      await network.close();
      throw error;
    }
  }

  /** A member that has joined, not started. */
  async joined(index: number): Promise<SiteEdge> {
    const { edge = {}, labels = {} } = this.#options;
    const config: EdgeConfigInput = {
      ...edge,
      node: { labels: labels[index] ?? {}, ...edge.node },
      pool: {
        listen: `0.0.0.0:${PEER_PORT}`,
        advertise: this.network.station(index).lanAddress,
        ...edge.pool,
      },
      localApi: { port: LOCAL_API_PORT, ...edge.localApi },
    };
    return await this.cluster.joined(`edge-${index}`, { config, token: { pool: POOL } });
  }

  /** The member with this number. */
  member(index: number): SiteEdge {
    const member = this.members[index];
    if (member === undefined) throw new E2eError('ERR_E2E_BAD_OPTION', `there is no member ${index}`);
    return member;
  }

  /** The namespace of a member. */
  station(index: number): Station {
    return this.network.station(index);
  }

  /** What a member says of its pool; undefined: nothing, or it does not run. */
  async status(index: number): Promise<PoolStatus | undefined> {
    return await statusOf(this.member(index).admin);
  }

  /** Waits until these members (default all) follow one leader, other than `not`, are live, and have everything. @returns its number */
  async untilLed(
    options: { among?: readonly number[]; not?: number; deadlineMs?: number } = {},
  ): Promise<number> {
    const { among = this.members.map((_, index) => index), not, deadlineMs = 30_000 } = options;
    const statuses = await this.until(
      among,
      (all) => {
        const leader = leaderOf(all);
        return leader !== undefined && leader !== `edge-${not}` && all.every(isLive);
      },
      deadlineMs,
    );
    return Number(/(\d+)$/.exec(statuses[0]?.leader ?? '')?.[1] ?? NaN);
  }

  /** Waits until the statuses of these members are as they should be. @throws E2eError ERR_E2E_CHILD_TIMEOUT, with the last ones */
  async until(
    among: readonly number[],
    is: (statuses: readonly PoolStatus[]) => boolean,
    deadlineMs = 30_000,
  ): Promise<readonly PoolStatus[]> {
    const lateMs = performance.now() + deadlineMs;
    for (;;) {
      const seen = await Promise.all(among.map((index) => this.status(index)));
      const known = seen.filter((status) => status !== undefined);
      if (known.length === among.length && is(known)) return known;
      if (performance.now() > lateMs) {
        const said = known.map(({ node, state, leader, epoch, problems, resources }) => {
          const open = resources.filter(({ synced }) => !synced).map(({ name }) => name);
          return JSON.stringify({ node, state, leader, epoch, problems, open });
        });
        const ends = among.map((index) => `${index}: ${this.member(index).log.slice(-1500)}`);
        ends.push(`hub: ${this.cluster.hub().stderr.slice(-3000)}`);
        throw new E2eError('ERR_E2E_CHILD_TIMEOUT', `pool is still ${said.join('\n')}\n${ends.join('\n')}`);
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Pulls the plug of a member, or puts it in again. */
  async setPlugged(index: number, net: 'lan' | 'cloud', plugged: boolean): Promise<void> {
    await this.station(index).setPlugged(net, plugged);
  }

  /** All members lose the cloud, or have it again. */
  async setCloud(there: boolean): Promise<void> {
    await Promise.all(this.members.map((_, index) => this.setPlugged(index, 'cloud', there)));
  }

  /** Streams of pools that a hub has open, by mode: `leader`, `direct`, `solo`. */
  async streams(mode?: string): Promise<number> {
    return await this.cluster.hubMetric(
      mode === undefined ? 'hawser_pool_streams' : `hawser_pool_streams\\{[^}]*mode="${mode}"[^}]*\\}`,
    );
  }

  /**
   * A kubeconfig for the local API of a member, of a service account that may read what is shared in pools. For programs in
   * the member's namespace.
   */
  async kubeconfig(index: number): Promise<string> {
    const api = await this.member(index).admin.localApi();
    if (api === undefined) throw new E2eError('ERR_E2E_BAD_OPTION', `member ${index} has no local API`);
    const { port, certificate } = api;
    const file = path.join(this.cluster.dir, `local-${index}.kubeconfig`);
    const name = 'local';
    const cluster = {
      server: `https://127.0.0.1:${port}`,
      'certificate-authority-data': Buffer.from(certificate).toString('base64'),
    };
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': name },
      clusters: [{ name, cluster }],
      users: [{ name, user: { token: await this.token() } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
    };
    await writeFile(file, JSON.stringify(config)); // JSON is YAML
    return file;
  }

  /** A token of that service account, good for an hour. */
  async token(): Promise<string> {
    this.#token ??= makeReader(this.cluster.client);
    return await this.#token;
  }

  /** Starts a program in the namespace of a member. */
  async start(index: number, options: Omit<NodeChildOptions, 'under'>): Promise<NodeChild> {
    return await this.station(index).startNode(options);
  }

  /** Writes a slice. */
  async putSlice(slice: KubeObject): Promise<KubeObject> {
    return await putSlice(this.cluster.client, slice);
  }

  /** Puts all plugs in, starts who does not run, and waits until all is well. @returns the leader */
  async heal(): Promise<number> {
    await this.network.split([]);
    for (const [index, member] of this.members.entries()) {
      for (const net of ['lan', 'cloud'] as const) await this.setPlugged(index, net, true);
      if (!member.runs) await member.start();
      member.process.thaw();
    }
    return await this.untilLed({ deadlineMs: 90_000 });
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.cluster.close();
    await this.network.close();
  }
}

async function statusOf(admin: AdminClient): Promise<PoolStatus | undefined> {
  try {
    return await admin.pool();
  } catch {
    return undefined; // it does not run, or not yet
  }
}
