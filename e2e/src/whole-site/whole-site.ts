import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checkConfig, HAWSER_NAMESPACE, readConfigFile, type CloudCoreConfigInput } from '@hawser/cloudcore';
import type { EdgeConfigInput, PoolStatus } from '@hawser/edgecore';
import { ContainerdSite } from '@hawser/edgecore/testing';
import { ModbusPeer } from '@hawser/mapper-modbus/testing';
import { freePort, makeTempDir } from '@hawser/seams/testing';
import { ClusterSite } from '../cluster-site/cluster-site.ts';
import { mapperProgram, writeDefinition } from '../devices-site/devices-site.ts';
import { E2eError } from '../errors.ts';
import { edgeConfigFor } from '../pods-site/pods-site.ts';
import { POOL } from '../pool-site/pool-cluster.ts';
import { isLive, leaderOf } from '../pool-site/pool-views.ts';
import { findExecutable } from '../processes/executable.ts';
import { dieWithParent } from '../processes/live-children.ts';
import { hawserCommand, UserCommand } from '../processes/user-command.ts';
import { untilSeen } from './until-seen.ts';
import { WholeMember } from './whole-member.ts';
import { roleLabel } from './whole-objects.ts';

/** Settings of {@link WholeSite.open}. */
export interface WholeSiteOptions {
  /** How its nodes connect. */
  readonly transport: 'ws' | 'quic';
}

const MEMBERS = 3;
/** One second between heartbeats: all times of pools are a fifth of those of docs/pool.md. */
const POOL_HEARTBEAT_SECONDS = 1;
const KUBELET_PORTS = { first: 27_000, last: 27_999 };
const TOKEN_SECONDS = 8 * 3600;

/**
 * All of Hawser on one machine, from an empty cluster: control plane, hub, and three nodes in a pool, of which the first
 * has a containerd and a Modbus mapper and the others run nothing. What an operator does is done by `hawser` and
 * `kubectl`. The hub has the rights that `hawser init` gives it, and no others. It needs root.
 */
export class WholeSite {
  readonly cluster: ClusterSite;
  readonly containerd: ContainerdSite;
  /** The device behind the mapper of the first node. */
  readonly peer: ModbusPeer;
  readonly hawser: UserCommand;
  readonly kubectl: UserCommand;
  readonly members: WholeMember[] = [];
  /** What ends its parts, the last one first. */
  readonly #undo: (() => Promise<void>)[];

  private constructor(parts: {
    readonly cluster: ClusterSite;
    readonly containerd: ContainerdSite;
    readonly peer: ModbusPeer;
    readonly undo: (() => Promise<void>)[];
  }) {
    this.#undo = parts.undo;
    this.cluster = parts.cluster;
    this.containerd = parts.containerd;
    this.peer = parts.peer;
    const { kubeconfig, dir } = parts.cluster;
    const env = { HOME: dir, KUBECONFIG: kubeconfig };
    this.hawser = hawserCommand(env);
    this.kubectl = new UserCommand('kubectl', ['kubectl'], env);
  }

  /** Why it cannot be opened on this machine; undefined: it can. */
  static async missing(): Promise<string | undefined> {
    const available = await ContainerdSite.availability();
    if (!available.ok) return available.reason;
    return findExecutable('kubectl') === undefined ? 'there is no kubectl' : ModbusPeer.missing();
  }

  /** Opens it: the control plane and the hub run, and no node has joined. @throws Error where {@link missing} says why */
  static async open({ transport }: WholeSiteOptions): Promise<WholeSite> {
    const undo: (() => Promise<void>)[] = [];
    try {
      const containerd = await ContainerdSite.open();
      undo.push(() => containerd.close());
      const peer = await ModbusPeer.tcp();
      undo.push(() => peer.stop());
      const dir = await makeTempDir('hwsr-plane-');
      undo.push(() => dir.remove());
      const cluster = await openControlPlane(dir.path);
      undo.push(() => cluster.close());
      const site = new WholeSite({ cluster, containerd, peer, undo });
      await site.#init();
      await site.startHub();
      for (let index = 0; index < MEMBERS; index++) site.members.push(await site.#member(index, transport));
      return site;
    } catch (error) {
      await all(undo);
      throw error;
    }
  }

  /** The member with containers and a device. */
  get kitchen(): WholeMember {
    return this.member(0);
  }

  member(index: number): WholeMember {
    const member = this.members[index];
    if (member === undefined) throw new E2eError('ERR_E2E_BAD_OPTION', `there is no member ${index}`);
    return member;
  }

  /** Starts the hub with what `hawser init` has written for it, and what differs on a machine of tests. */
  async startHub(): Promise<void> {
    const file = this.#cloudcoreConfig;
    const written = checkConfig(await readConfigFile(file), file);
    const config: Partial<CloudCoreConfigInput> = {
      ...written,
      kubeconfig: this.#hubKubeconfig,
      operations: { ...written.operations, port: 0 },
      heartbeatSeconds: 2,
      kubelet: { ...written.kubelet, portRange: KUBELET_PORTS },
      pools: { ...written.pools, heartbeatSeconds: POOL_HEARTBEAT_SECONDS },
    };
    await this.cluster.startHub(0, config);
  }

  /** Joins a node as an operator does, and starts it. @returns the join command */
  async join(member: WholeMember): Promise<string> {
    const { host, port } = this.cluster.address();
    const order = ['--node', member.name, '--pool', POOL, '--cloud', `${host}:${port}`];
    const printed = await this.hawser.ok(['token', 'create', ...order]);
    await member.join(printed);
    await member.start();
    return printed;
  }

  /** `kubectl apply` of objects. */
  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    await this.kubectl.ok(['apply', '-f', '-'], { input: JSON.stringify(list) });
  }

  /** `kubectl get … -o json`. */
  get<T>(...args: readonly string[]): Promise<T> {
    return this.kubectl.json<T>(['get', ...args, '-o', 'json']);
  }

  /** A token of a service account: what `kubectl create token` does, which came with kubectl 1.24. */
  async token(namespace: string, account: string): Promise<string> {
    const url = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
    const order = {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' },
      spec: { expirationSeconds: TOKEN_SECONDS },
    };
    const { status } = await this.kubectl.json<{ readonly status: { readonly token: string } }>(
      ['create', '--raw', url, '-f', '-'],
      { input: JSON.stringify(order) },
    );
    return status.token;
  }

  /**
   * Waits until these members follow one leader.
   * @param is what else is to hold of each; default: it hears the cloud by its leader, and has everything
   */
  async untilLed(
    among: readonly WholeMember[] = this.members,
    options: { readonly not?: string; readonly is?: (status: PoolStatus) => boolean } = {},
  ): Promise<WholeMember> {
    const { not, is = isLive } = options;
    const statuses = await untilSeen(
      `one leader${not === undefined ? '' : ` other than ${not}`} of ${among.map(({ name }) => name).join()}`,
      () => Promise.all(among.map((member) => member.pool())),
      (seen) => {
        const known = seen.filter((status) => status !== undefined);
        const leader = leaderOf(known);
        const others = leader !== undefined && leader !== not;
        return others && known.length === among.length && known.every(is);
      },
    );
    const leader = this.members.find(({ name }) => name === statuses[0]?.leader);
    if (leader === undefined) throw new E2eError('ERR_E2E_BAD_OPTION', 'the leader is no member of the site');
    return leader;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await all(this.#undo);
  }

  get #cloudcoreConfig(): string {
    return path.join(this.cluster.dir, 'cloudcore.yaml');
  }

  get #hubKubeconfig(): string {
    return path.join(this.cluster.dir, 'hub.kubeconfig');
  }

  /** `hawser init`, and a kubeconfig for the service account that it makes for the hub. */
  async #init(): Promise<void> {
    await this.hawser.ok(['init', '--advertise', '127.0.0.1', '--config', this.#cloudcoreConfig]);
    const token = await this.token(HAWSER_NAMESPACE, 'hawser-cloudcore');
    const admin = JSON.parse(await readFile(this.cluster.kubeconfig, 'utf8')) as {
      readonly users: readonly { readonly name: string }[];
    };
    const users = admin.users.map(({ name }) => ({ name, user: { token } }));
    await writeFile(this.#hubKubeconfig, JSON.stringify({ ...admin, users }), { mode: 0o600 });
  }

  async #member(index: number, transport: 'ws' | 'quic'): Promise<WholeMember> {
    const { cluster, containerd, hawser, kubectl } = this;
    const hasContainers = index === 0;
    const edge = await cluster.unjoined(`edge-${index + 1}`);
    const config: EdgeConfigInput = {
      hub: { heartbeatMs: 2000, quicPort: cluster.quicPort() },
      // Nodes of one machine would have one port, and an address of this machine.
      pool: { listen: `127.0.0.1:${await freePort()}`, advertise: '127.0.0.1' },
      localApi: { port: await freePort(), address: '' },
      ...(hasContainers
        ? await this.#kitchenConfig()
        : { pods: { runtime: 'null' }, eventBus: { mode: 'off' } }),
    };
    const runtime = hasContainers ? ['--runtime-endpoint', containerd.endpoint] : [];
    const labels = ['--labels', roleLabel(hasContainers)];
    const joinOptions = ['--transport', transport, ...labels, ...runtime];
    return new WholeMember({ edge, hawser, kubectl, config, joinOptions });
  }

  /** Of the node that runs pods and a mapper; the socket of its runtime is said at the join. */
  async #kitchenConfig(): Promise<EdgeConfigInput> {
    const mappers = path.join(this.cluster.dir, 'mappers.d');
    await mkdir(mappers);
    // It goes with its edgecore, as everything does in a power cut, and when a test ends early.
    const command = dieWithParent([process.execPath, mapperProgram('modbus')]);
    await writeDefinition(mappers, 'modbus', { protocols: ['modbus'], run: { command } });
    const { logDir, cgroupRoot } = edgeConfigFor(this.containerd).pods ?? {};
    return {
      pods: { ...(logDir !== undefined && { logDir }), ...(cgroupRoot !== undefined && { cgroupRoot }) },
      eventBus: { listen: '127.0.0.1:0' },
      mappers: { dir: mappers },
    };
  }
}

/** A control plane that keeps its data and its port over a restart; no hub yet. */
async function openControlPlane(dataDir: string): Promise<ClusterSite> {
  return ClusterSite.open({
    replicas: 0,
    hub: { listen: { quicPort: 0 } },
    controlPlane: { dataDir, port: await freePort(), controllers: true },
  });
}

async function all(undo: (() => Promise<void>)[]): Promise<void> {
  for (let each = undo.pop(); each !== undefined; each = undo.pop()) await each();
}
