import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { silentLogger, systemClock } from '@hawser/seams';
import { Registry } from '@hawser/seams/metrics';
import { makeTempDir } from '@hawser/seams/testing';
import { contentOf, type PoolResource } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import { DiskPkiFolder } from '../../src/identity/pki-folder.ts';
import { apiCertificate, apiNames, type ApiCertificate } from '../../src/local-api/api-certificate.ts';
import { LocalApi } from '../../src/local-api/local-api.ts';
import { LocalStore } from '../../src/local-store/local-store.ts';
import { NodeObjects } from '../../src/local-store/node-objects.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { ClusterCloud } from './cluster-cloud.ts';
import { Cluster } from './cluster.ts';
import { MirrorPool } from './mirror-pool.ts';
import { authenticationOf, TokenMaker, type TokenWish } from './token-maker.ts';

const RBAC = 'rbac.authorization.k8s.io';
export const NODE = 'edge-1';
const SCOPE = `node/${NODE}`;

const SYSTEM: readonly PoolResource[] = [
  ['clusterroles', 'ClusterRole', false] as const,
  ['clusterrolebindings', 'ClusterRoleBinding', false] as const,
  ['roles', 'Role', true] as const,
  ['rolebindings', 'RoleBinding', true] as const,
].map(([resource, kind, namespaced]) => ({ group: RBAC, version: 'v1', resource, kind, namespaced }));

export const SHARED: readonly PoolResource[] = [
  { group: '', version: 'v1', resource: 'services', kind: 'Service', namespaced: true },
  {
    ...{ group: 'discovery.k8s.io', version: 'v1' },
    ...{ resource: 'endpointslices', kind: 'EndpointSlice', namespaced: true },
  },
  { group: 'shop.example', version: 'v1', resource: 'tills', kind: 'Till', namespaced: true },
];

/** An answer, its body parsed where it is JSON. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
  readonly text: string;
}

/** What to send beside method and path. */
export interface Sent {
  readonly token?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: unknown;
  readonly tls?: RequestOptions;
}

/** A cluster, a pool that mirrors it, and the local API of a node over real https. */
export class LocalSite {
  readonly cluster = new Cluster();
  readonly cloud = new ClusterCloud(this.cluster);
  readonly maker = new TokenMaker();
  readonly metrics = new Registry();
  readonly replica = new MemoryReplicaStore();
  readonly pods: Pod[] = [];
  nodeAuthorities: readonly X509Certificate[] = [];
  wallMs = (): number => Date.now();
  pool = new MirrorPool(this.cluster.store);
  dir = '';
  #podListener: () => void = () => {};
  #certificate: ApiCertificate | undefined;
  #listener: Server | undefined;
  #store: LocalStore | undefined;
  #api: LocalApi | undefined;
  #remove: () => Promise<void> = () => Promise.resolve();

  get port(): number {
    return (this.#listener?.address() as AddressInfo).port;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** What clients trust, PEM. */
  get authority(): string {
    return this.#certificate?.cert ?? '';
  }

  get api(): LocalApi {
    if (this.#api === undefined) throw new TypeError('the site has not been started');
    return this.#api;
  }

  async start(): Promise<void> {
    const temporary = await makeTempDir();
    this.dir = temporary.path;
    this.#remove = () => temporary.remove();
    await this.cluster.start();
    const folder = new DiskPkiFolder(`${this.dir}/pki`);
    await folder.open();
    this.#certificate = await apiCertificate(folder, NODE, apiNames(NODE, '', 'cluster.local'), silentLogger);
    for (const resource of [...SYSTEM, ...SHARED]) this.pool.share(resource);
    this.pool.authentication(authenticationOf([this.maker]));
    const listener = createServer({ pauseOnConnect: true }, (socket) => this.api.accept(socket));
    this.#listener = listener;
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    await this.open();
  }

  /** Makes the local API, as a process that begins. */
  async open(): Promise<void> {
    const clock = systemClock;
    const node = new NodeObjects({
      ...{ node: NODE, scope: SCOPE, replica: this.replica, clock, log: silentLogger },
      pods: {
        pods: () => this.pods,
        listen: (listener) => {
          this.#podListener = listener;
          return () => {};
        },
      },
      statuses: { get: () => undefined, listen: () => () => {} },
      reporter: { body: undefined, listen: () => () => {} },
      wallMs: this.wallMs,
    });
    const objects = new LocalStore({ pool: this.pool, node, clock });
    objects.start();
    this.#store = objects;
    if (this.#certificate === undefined) throw new TypeError('the site has not been started');
    const api = new LocalApi({
      ...{ node: NODE, dataDir: this.dir, certificate: this.#certificate, port: this.port },
      ...{ pool: this.pool, objects, cloud: this.cloud, clock, log: silentLogger },
      filters: { 'kube-proxy': 'topology,api-server' },
      pods: () => this.pods,
      nodeAuthorities: () => this.nodeAuthorities,
      wallMs: () => this.wallMs(),
      registry: this.metrics,
    });
    await api.start();
    this.#api = api;
  }

  /** Ends the local API, as a process that ends. */
  async close(): Promise<void> {
    await this.#api?.stop();
    await this.#store?.close();
    this.metrics.clear();
  }

  async stop(): Promise<void> {
    this.#listener?.close();
    await this.close();
    this.pool.stop();
    await this.cluster.stop();
    await this.#remove();
  }

  /** A token that the cluster knows, too. */
  async token(wish: TokenWish = {}): Promise<string> {
    const token = await this.maker.make(wish);
    const { namespace = 'default', account = 'app', pod, node } = wish;
    const prefix = 'authentication.kubernetes.io';
    this.cluster.tokens.set(token, {
      username: `system:serviceaccount:${namespace}:${account}`,
      uid: `uid-of-${account}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra: {
        [`${prefix}/credential-id`]: ['JTI=id-1'],
        ...(pod !== undefined && { [`${prefix}/pod-name`]: [pod.name], [`${prefix}/pod-uid`]: [pod.uid] }),
        ...(node !== undefined && {
          [`${prefix}/node-name`]: [node],
          [`${prefix}/node-uid`]: [`uid-of-${node}`],
        }),
      },
    });
    return token;
  }

  /** Gives the node a pod, as it knows it. */
  addPod(pod: Pod): void {
    this.pods.push(pod);
    this.#podListener();
  }

  /** Gives the node an object, on its disk. */
  async addObject(resource: string, object: object): Promise<void> {
    await this.replica.apply(SCOPE, [{ put: contentOf(resource, object) }]);
  }

  /** Asks the local API. */
  send(method: string, path: string, sent: Sent = {}): Promise<Reply> {
    return send(this.url, method, path, { ...sent, tls: { ca: this.authority, ...sent.tls } });
  }

  /** Asks both, the local API and the cluster itself. */
  async both(method: string, path: string, sent: Sent = {}): Promise<{ local: Reply; cluster: Reply }> {
    const [local, cluster] = await Promise.all([
      this.send(method, path, sent),
      send(this.cluster.url, method, path, sent),
    ]);
    return { local, cluster };
  }
}

/** Sends one request on a connection of its own. */
function send(url: string, method: string, path: string, sent: Sent): Promise<Reply> {
  const { token, headers = {}, body, tls = {} } = sent;
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const options = {
    method,
    agent: false as const,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(bytes !== undefined && { 'content-type': 'application/json', 'content-length': bytes.length }),
      ...headers,
    },
  };
  return new Promise((resolve, reject) => {
    const read = (response: IncomingMessage): void => {
      reply(response).then(resolve, reject);
    };
    const request = url.startsWith('https:')
      ? httpsRequest(`${url}${path}`, { ...options, ...tls }, read)
      : httpRequest(`${url}${path}`, options, read);
    request.once('upgrade', (response: IncomingMessage, socket: Duplex) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: {}, text: '' });
    });
    request.once('error', reject);
    request.end(bytes);
  });
}

async function reply(response: IncomingMessage): Promise<Reply> {
  const body = await text(response);
  const isJson = (response.headers['content-type'] ?? '').startsWith('application/json') && body !== '';
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: isJson ? (JSON.parse(body) as Record<string, unknown>) : {},
    text: body,
  };
}
