import { readFile } from 'node:fs/promises';
import { HttpApiClient, ResourceClient, RESOURCES, type KubeObject, type Lease } from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import type { Credentials } from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { silentLogger, type Logger } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { parse } from 'yaml';
import { startCloudCore, type CloudCore } from '../../src/cloud-core.ts';
import { HAWSER_NAMESPACE, LABELS, OBJECTS } from '../../src/cluster/names.ts';
import { checkConfig } from '../../src/config/load-config.ts';
import { PoolEdge } from './pool-edge.ts';

/** The definition of NodePools that `hawser init` brings. */
const DEFINITION = new URL('../../../../cli/manifests/crds/apps.openyurt.io_nodepools.yaml', import.meta.url);
/** Tests run pools this much faster than they are: 200 ms for 5 s. */
export const HEARTBEAT_SECONDS = 0.2;
export const WAIT = { deadlineMs: 10_000 };
const NODE_POOLS = {
  ...{ group: 'apps.openyurt.io', version: 'v1beta2', resource: 'nodepools' },
  ...{ kind: 'NodePool', namespaced: false },
} as const;

/** An API server, hubs, and edges in pools. */
export class PoolSite {
  readonly kube: KubeFixture;
  readonly api: HttpApiClient;
  readonly cores: CloudCore[] = [];
  readonly edges: PoolEdge[] = [];
  readonly pools: ResourceClient;
  readonly nodes: ResourceClient;
  readonly slices: ResourceClient;
  readonly leases: ResourceClient<Lease>;
  readonly events: ResourceClient;
  #authority: TestAuthority | undefined;

  private constructor(kube: KubeFixture) {
    this.kube = kube;
    this.api = new HttpApiClient({ server: kube.url });
    this.pools = new ResourceClient(this.api, NODE_POOLS);
    this.nodes = new ResourceClient(this.api, RESOURCES.nodes);
    this.slices = new ResourceClient(this.api, RESOURCES.endpointslices);
    this.leases = new ResourceClient<Lease>(this.api, RESOURCES.leases);
    this.events = new ResourceClient(this.api, RESOURCES.events);
  }

  /** Starts one, with a hub. */
  static async open(options: { definition?: boolean; pools?: object; log?: Logger } = {}): Promise<PoolSite> {
    const kube = await startKubeFixture({ server: { limits: { stopMs: 50 } } });
    const site = new PoolSite(kube);
    if (options.definition !== false) await site.define();
    await site.hub(options);
    return site;
  }

  get core(): CloudCore {
    const [core] = this.cores;
    if (core === undefined) throw new TypeError('there is no hub');
    return core;
  }

  /** Applies the definition of NodePools. */
  async define(object?: KubeObject): Promise<void> {
    const definition = object ?? (parse(await readFile(DEFINITION, 'utf8')) as KubeObject);
    const definitions = new ResourceClient(this.api, RESOURCES.customresourcedefinitions);
    await definitions.create(definition);
    await eventually(
      'the definition is established',
      async () => {
        const { status } = await definitions.get('', definition.metadata.name ?? '');
        const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string }[] };
        return conditions.some(({ type, status: is }) => type === 'Established' && is === 'True');
      },
      WAIT,
    );
  }

  /** Starts another hub over the same API server. */
  async hub(options: { pools?: object; log?: Logger } = {}): Promise<CloudCore> {
    const config = {
      replica: `hub-${this.cores.length}`,
      listen: { host: '127.0.0.1', websocketPort: 0 },
      advertise: ['127.0.0.1'],
      operations: { port: 0 },
      heartbeatSeconds: 2,
      kubelet: { enabled: false },
      pools: { heartbeatSeconds: HEARTBEAT_SECONDS, ...options.pools },
    };
    const core = await startCloudCore({
      ...{ config: checkConfig(config, 'the test'), client: this.api, log: options.log ?? silentLogger },
    });
    this.cores.push(core);
    await eventually('the hub is ready', () => core.unready().length === 0, WAIT);
    return core;
  }

  /** Makes a NodePool. */
  async pool(name: string, spec: object = {}): Promise<KubeObject> {
    const object = { apiVersion: 'apps.openyurt.io/v1beta2', kind: 'NodePool', metadata: { name } };
    return this.pools.create({ ...object, spec: { type: 'Edge', ...spec } });
  }

  /** Makes an edge node in a pool. */
  async node(name: string, pool?: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    const all = { [LABELS.edge]: '', ...(pool !== undefined && { [LABELS.nodePool]: pool }), ...labels };
    await this.nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: all } });
  }

  /** An edge with a Node and a session, that trusts the keys that it was told of. */
  async edge(name: string, pool?: string, core = this.core): Promise<PoolEdge> {
    await this.node(name, pool);
    return this.connect(name, core, pool);
  }

  /** A session of a node that is there. */
  async connect(name: string, core = this.core, pool?: string): Promise<PoolEdge> {
    const edge = new PoolEdge(core.websocketPort, await this.credentials(name), name);
    this.edges.push(edge);
    await edge.connect();
    const expected = pool ?? `~${name}`;
    await edge.told(`that it is in ${expected}`, (membership) => membership.pool === expected);
    await edge.trust();
    return edge;
  }

  /** A pool with members that have said that they may lead; the first of them leads. */
  async members(pool: string, names: readonly string[], spec: object = {}): Promise<PoolEdge[]> {
    await this.pool(pool, spec);
    const edges: PoolEdge[] = [];
    for (const name of names) {
      const edge = await this.edge(name, pool);
      edges.push(edge);
      await edge.report(pool);
      await edge.told('who leads', ({ leader }) => leader === names[0]);
    }
    return edges;
  }

  /** A slice with one endpoint. */
  async slice(name: string, address = '10.0.0.1'): Promise<KubeObject> {
    return this.slices.create({
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
      metadata: { namespace: 'default', name },
      ...{ addressType: 'IPv4', endpoints: [{ addresses: [address] }], ports: [] },
    });
  }

  lease(pool: string): Promise<Lease> {
    return this.leases.get(HAWSER_NAMESPACE, `pool-${pool}`);
  }

  /** A metric of a hub, added up over its labels. */
  async metric(
    name: string,
    labels: Readonly<Record<string, string>> = {},
    core = this.core,
  ): Promise<number> {
    const found = await core.registry.getSingleMetric(name)?.get();
    const values = (found?.values ?? []).filter((value) =>
      Object.entries(labels).every(([key, wanted]) => String(value.labels[key]) === wanted),
    );
    return values.reduce((sum, { value }) => sum + value, 0);
  }

  async close(): Promise<void> {
    for (const edge of this.edges) await edge.disconnect();
    for (const core of this.cores) await core.stop();
    this.api.close();
    await this.kube.stop();
  }

  /** What a node shows to the hub. */
  async credentials(node: string): Promise<Credentials> {
    if (this.#authority === undefined) {
      const secrets = new ResourceClient(this.api, RESOURCES.secrets);
      const secret = await secrets.get(HAWSER_NAMESPACE, OBJECTS.authority);
      const data = secret['data'] as Readonly<Record<string, string>>;
      const pem = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
      this.#authority = await TestAuthority.load(pem('tls.crt'), pem('tls.key'));
    }
    return this.#authority.edge(node);
  }
}
