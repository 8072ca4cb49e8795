import { once } from 'node:events';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import {
  HttpApiClient,
  isPlainObject,
  ResourceClient,
  RESOURCES,
  type AuthorizationAttributes,
  type KubeObject,
} from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import type { Credentials } from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import type { Logger } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { startCloudCore, type CloudCore } from '../../src/cloud-core.ts';
import { HAWSER_NAMESPACE, LABELS, OBJECTS } from '../../src/cluster/names.ts';
import { checkConfig } from '../../src/config/load-config.ts';
import { FakeEdge } from '../../testing/fake-edge.ts';

/** A client certificate with its key, PEM. */
export interface ClientPem {
  readonly key: string;
  readonly cert: string;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

/** What one request is made with. */
export interface CallOptions {
  readonly method?: string;
  /** Default: that of the API server. `null`: none. */
  readonly client?: ClientPem | null;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Default: that of the Node. */
  readonly port?: number;
}

const WAIT = { deadlineMs: 10_000 };

/** An API server, a hub, edges that serve HTTP, and a client with a certificate of the API server. */
export class EndpointSite {
  readonly kube: KubeFixture;
  readonly api: HttpApiClient;
  readonly cores: CloudCore[] = [];
  readonly edges: FakeEdge[] = [];
  /** Signs certificates of clients. */
  readonly clients: TestAuthority;
  /** What was asked in reviews. */
  readonly reviews: AuthorizationAttributes[];
  apiServer: ClientPem = { key: '', cert: '' };
  #authority: TestAuthority | undefined;

  private constructor(kube: KubeFixture, clients: TestAuthority, reviews: AuthorizationAttributes[]) {
    this.kube = kube;
    this.api = new HttpApiClient({ server: kube.url });
    this.clients = clients;
    this.reviews = reviews;
  }

  /** Starts one, with a hub. The user `nobody` may do nothing with nodes. */
  static async open(kubelet: object = {}, log?: Logger): Promise<EndpointSite> {
    const reviews: AuthorizationAttributes[] = [];
    const kube = await startKubeFixture({
      server: {
        limits: { stopMs: 50 },
        authorizer: {
          authorize: (asked) => {
            if (asked.user.username === 'system:anonymous') return { decision: 'allow', reason: '' };
            reviews.push(asked);
            return { decision: asked.user.username === 'nobody' ? 'noOpinion' : 'allow', reason: '' };
          },
        },
      },
    });
    const site = new EndpointSite(kube, await TestAuthority.create('CN=clients-of-the-cluster'), reviews);
    site.apiServer = await site.client('O=system:masters, CN=kube-apiserver-kubelet-client');
    await site.publish(site.clients);
    await site.hub(kubelet, log);
    return site;
  }

  get core(): CloudCore {
    const [core] = this.cores;
    if (core === undefined) throw new TypeError('there is no hub');
    return core;
  }

  /** Starts a hub. */
  async hub(kubelet: object = {}, log?: Logger): Promise<CloudCore> {
    const config = {
      replica: `hub-${this.cores.length}`,
      listen: { host: '127.0.0.1', websocketPort: 0 },
      advertise: ['127.0.0.1'],
      operations: { port: 0 },
      heartbeatSeconds: 2,
      kubelet: { portRange: { first: 21_000, last: 21_999 }, ...kubelet },
    };
    const client = this.api;
    const core = await startCloudCore({
      config: checkConfig(config, 'the test'),
      client,
      ...(log && { log }),
    });
    this.cores.push(core);
    await eventually('the hub is ready', () => core.unready().length === 0, WAIT);
    return core;
  }

  /** Writes an authority of clients where API servers do. */
  async publish(authority: TestAuthority): Promise<void> {
    const configMaps = new ResourceClient(this.api, RESOURCES.configmaps);
    const metadata = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
    const data = { 'client-ca-file': authority.certificate.toString() };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
    await configMaps.create(object).catch(() => configMaps.update(object));
  }

  /** A client certificate. */
  async client(subject: string, authority = this.clients): Promise<ClientPem> {
    const { privateKey, certificate } = await authority.issue({ subject, keyType: 'p256' });
    return {
      key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      cert: certificate.toString(),
    };
  }

  /** An edge with a Node and a session; its Node says where its kubelet is. */
  async edge(node: string, core = this.core): Promise<FakeEdge> {
    await this.node(node);
    const edge = new FakeEdge(core.websocketPort, await this.credentials(node), node);
    this.edges.push(edge);
    await edge.connect();
    await eventually('the port in the Node', async () => (await this.port(node)) !== 0, WAIT);
    return edge;
  }

  /** A Node that says nothing about its kubelet. */
  async node(name: string): Promise<void> {
    const metadata = { name, labels: { [LABELS.edge]: '' } };
    const status = {
      addresses: [
        { type: 'InternalIP', address: '10.9.8.7' },
        { type: 'Hostname', address: name },
      ],
    };
    await new ResourceClient(this.api, RESOURCES.nodes).create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata,
      status,
    });
  }

  /** The Node, as the API server has it. */
  getNode(name: string): Promise<KubeObject> {
    return new ResourceClient(this.api, RESOURCES.nodes).get('', name);
  }

  /** The port in the Node; 0: none. */
  async port(node: string): Promise<number> {
    const status = (await this.getNode(node))['status'];
    const endpoints = isPlainObject(status) ? status['daemonEndpoints'] : undefined;
    const endpoint = isPlainObject(endpoints) ? endpoints['kubeletEndpoint'] : undefined;
    return isPlainObject(endpoint) ? Number(endpoint['Port']) : 0;
  }

  /** A pod that is bound to a node, and known to the hub. */
  async pod(name: string, nodeName: string): Promise<void> {
    const spec = { nodeName, containers: [{ name: 'app', image: 'app:1' }] };
    const metadata = { namespace: 'default', name };
    const pods = new ResourceClient(this.api, RESOURCES.pods);
    await pods.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
    const path = `/containerLogs/default/${name}/app`;
    await eventually(
      'the hub knows the pod',
      async () => !(await this.call(nodeName, path)).text.includes('is not bound'),
      WAIT,
    );
  }

  /** Makes a request; resolves with the beginning of its answer. */
  async begin(node: string, path: string, options: CallOptions = {}): Promise<IncomingMessage> {
    const outgoing = await this.#request(node, path, options);
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return response;
  }

  /** Makes a request, and reads the whole answer. */
  async call(node: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const response = await this.begin(node, path, options);
    let text = '';
    for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString();
    return { status: response.statusCode ?? 0, text, headers: response.headers };
  }

  /** Asks for another protocol. */
  async upgrade(
    node: string,
    path: string,
    options: CallOptions = {},
  ): Promise<{
    readonly response: IncomingMessage;
    readonly socket: Duplex | undefined;
    readonly head: Buffer;
  }> {
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', ...options.headers };
    const outgoing = await this.#request(node, path, { method: 'POST', ...options, headers });
    return new Promise((resolve, reject) => {
      outgoing.on('error', reject);
      outgoing.on('upgrade', (response, socket, head) => resolve({ response, socket, head }));
      outgoing.on('response', (response) => resolve({ response, socket: undefined, head: Buffer.alloc(0) }));
      outgoing.end();
    });
  }

  /** A metric of the first hub, added up over its labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const found = await this.core.registry.getSingleMetric(name)?.get();
    const values = (found?.values ?? []).filter((value) =>
      Object.entries(labels).every(([key, wanted]) => String(value.labels[key]) === wanted),
    );
    return values.reduce((sum, { value }) => sum + value, 0);
  }

  async close(): Promise<void> {
    for (const edge of this.edges) await edge.stop();
    for (const core of this.cores) await core.stop();
    this.api.close();
    await this.kube.stop();
  }

  /** What a node shows to the hub. */
  async credentials(node: string): Promise<Credentials> {
    if (this.#authority === undefined) {
      const secret = await new ResourceClient(this.api, RESOURCES.secrets).get(
        HAWSER_NAMESPACE,
        OBJECTS.authority,
      );
      const data = secret['data'] as Readonly<Record<string, string>>;
      const pem = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
      this.#authority = await TestAuthority.load(pem('tls.crt'), pem('tls.key'));
    }
    return this.#authority.edge(node);
  }

  /** The authority of the hub's own certificate, PEM. */
  get hubAuthority(): string {
    return this.#authority?.certificate.toString() ?? '';
  }

  async #request(node: string, path: string, options: CallOptions): Promise<ClientRequest> {
    const { method = 'GET', headers = {}, client = this.apiServer } = options;
    const { port = await this.port(node) } = options;
    const outgoing = request({
      ...{ host: '127.0.0.1', port, method, path, headers },
      ...client,
      ca: this.hubAuthority, // who is verified by it is the hub, with the address in its certificate
      agent: false,
    });
    outgoing.on('error', () => {}); // awaited by whoever needs it
    return outgoing;
  }
}
