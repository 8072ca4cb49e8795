import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  BareConnections,
  HttpApiClient,
  ResourceClient,
  RESOURCES,
  staticCredentials,
  type KubeObject,
  type TokenOrder,
} from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { CALLER_HEADER, encodeCaller, type PeerIdentity, type StreamCaller } from '@hawser/proto';
import { streamPair } from '@hawser/proto/testing';
import { silentLogger, systemClock, type Logger } from '@hawser/seams';
import { Registry } from 'prom-client';
import type { AccessSession } from '../../src/api-access/access-session.ts';
import { ApiAccess, type ApiAccessOptions } from '../../src/api-access/api-access.ts';
import { GivenView } from '../given-view.ts';

/** A request as the API server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Takes over a connection. */
export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A stream as a test uses it. */
export interface TestStream {
  readonly near: ReturnType<typeof streamPair>['near'];
  /** Ends it as the loss of the connection does. */
  readonly lose: () => void;
}

/**
 * Requests over streams of kind `api`, byte for byte, to an API server that answers as a test says. Tokens come from a
 * Kubernetes API server of their own.
 */
export class AccessSite {
  readonly view = new GivenView();
  readonly registry = new Registry();
  readonly seen: SeenRequest[] = [];
  /** Tokens that were asked for. */
  readonly orders: TokenOrder[] = [];
  readonly revoked = new Set<string>();
  onRequest: RequestListener = (_request, response) => void response.end('{"kind":"Any"}');
  onUpgrade: OnUpgrade = (_request, socket) => void socket.destroy();
  /** Whether the session is the present one. */
  current = true;
  readonly access: ApiAccess;
  readonly kube: KubeFixture;
  readonly client: HttpApiClient;
  readonly #server: Server;
  readonly #revokedListeners = new Set<(node: string) => void>();

  private constructor(
    kube: KubeFixture,
    server: Server,
    orders: TokenOrder[],
    options: Partial<ApiAccessOptions>,
  ) {
    this.kube = kube;
    this.orders = orders;
    this.#server = server;
    this.client = new HttpApiClient({ server: kube.url });
    const { port } = server.address() as AddressInfo; // it listens on a port
    this.access = new ApiAccess({
      client: this.client,
      server: new BareConnections({
        server: `http://127.0.0.1:${port}`,
        credentials: staticCredentials({ token: 'of the hub' }),
        maxConnections: 256,
      }),
      view: this.view,
      identity: {
        isRevoked: ({ nodeName }) => this.revoked.has(nodeName ?? ''),
        onRevoked: (listener) => {
          this.#revokedListeners.add(listener);
          return () => this.#revokedListeners.delete(listener);
        },
      },
      ...{ maxRequests: 200, maxRequestsPerNode: 100, headerMs: 5000, idleMs: 60_000 },
      ...{ log: silentLogger, registry: this.registry, clock: systemClock },
      ...options,
    });
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', rawHeaders, headers } = request;
        this.seen.push({ method, url, rawHeaders, headers, body: Buffer.concat(chunks).toString() });
        this.onRequest(request, response);
      });
    });
    server.on('upgrade', (request, socket, head) => {
      const { method = '', url = '', rawHeaders, headers } = request;
      this.seen.push({ method, url, rawHeaders, headers, body: '' });
      this.onUpgrade(request, socket, head);
    });
  }

  /** Starts one, with the service accounts `web` and `other` in `default`. */
  static async open(
    options: Partial<ApiAccessOptions> & { readonly log?: Logger } = {},
  ): Promise<AccessSite> {
    const orders: TokenOrder[] = [];
    const kube = await startKubeFixture({
      server: {
        tokenIssuer: {
          defaultAudiences: ['api'],
          issue(order) {
            orders.push(order);
            const seconds = order.expirationSeconds;
            return Promise.resolve({
              token: tokenOf(orders.length, order),
              expiresAtMs: Date.now() + seconds * 1000,
            });
          },
        },
      },
    });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const site = new AccessSite(kube, server, orders, options);
    for (const name of ['web', 'other']) await site.account(name);
    site.access.start();
    return site;
  }

  async account(name: string): Promise<KubeObject> {
    const accounts = new ResourceClient(this.client, RESOURCES.serviceaccounts);
    const metadata = { namespace: 'default', name };
    return accounts.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  }

  /** A pod, in the API and in the view. @returns its uid */
  async pod(name: string, nodeName: string, serviceAccountName: string): Promise<string> {
    const pods = new ResourceClient(this.client, RESOURCES.pods);
    const projected = { sources: [{ serviceAccountToken: { path: 'token' } }] };
    const containers = [{ name: 'app', image: 'app:1' }];
    const spec = { nodeName, serviceAccountName, containers, volumes: [{ name: 'api', projected }] };
    const pod = await pods.create({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name }, spec },
    });
    const { uid = '' } = pod.metadata;
    this.view.setPod('default', name, { uid, nodeName, serviceAccountName });
    return uid;
  }

  /** The session of a node. */
  session(node: string): AccessSession {
    const peer = { nodeName: node, fingerprint: 'f' } as PeerIdentity; // all that it looks at
    return this.access.opened({ info: { node }, peer }, () => this.current);
  }

  /** Opens a stream, as the node does. */
  stream(session: AccessSession): TestStream {
    const { near, far, lose } = streamPair({ kind: 'api' });
    session.take(far);
    return { near, lose };
  }

  /** Sends bytes, and reads what comes until the hub ends the stream. */
  async exchange(session: AccessSession, bytes: string): Promise<string> {
    const { near } = this.stream(session);
    await near.write(Buffer.from(bytes, 'latin1'));
    return readText(near);
  }

  revoke(node: string): void {
    this.revoked.add(node);
    for (const listener of this.#revokedListeners) listener(node);
  }

  /** The value of a metric. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const metric = await this.registry.getSingleMetric(`hawser_api_access_${name}`)?.get();
    const found = (metric?.values ?? []).filter((value) =>
      Object.entries(labels).every(([key, wanted]) => String(value.labels[key]) === wanted),
    );
    return found.reduce((sum, { value }) => sum + value, 0);
  }

  async close(): Promise<void> {
    this.access.stop();
    this.client.close();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.kube.stop();
  }
}

/** A token that says of itself what those of Kubernetes say, unsigned. */
export function tokenOf(number: number, { expirationSeconds, serviceAccountUid }: TokenOrder): string {
  const iat = 1_700_000_000;
  const claims = {
    ...{ iat, exp: iat + expirationSeconds, jti: String(number) },
    'kubernetes.io': { serviceaccount: { uid: serviceAccountUid } },
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.${number}`;
}

/** The account `default/<name>`, by a pod of it. */
export function caller(name: string, pod?: { readonly name: string; readonly uid: string }): StreamCaller {
  return {
    ...{ username: `system:serviceaccount:default:${name}`, uid: '', groups: ['system:serviceaccounts'] },
    ...(pod && { podNamespace: 'default', podName: pod.name, podUid: pod.uid }),
  };
}

/** The head of a request, and what follows it. */
export function requestOf(
  line: string,
  who: StreamCaller,
  headers: readonly string[] = [],
  body = '',
): string {
  return [
    `${line} HTTP/1.1`,
    'Host: api',
    `${CALLER_HEADER}: ${encodeCaller(who)}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
}

/** What comes until the end. */
export async function readText(stream: TestStream['near']): Promise<string> {
  let text = '';
  for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read())
    text += Buffer.from(chunk).toString('latin1');
  return text;
}

/** Status line, head and body of the last answer in a text: what is before it is 102. */
export function answerIn(text: string): {
  readonly status: number;
  readonly head: string;
  readonly body: string;
} {
  const rest = text.replace(/^(HTTP\/1\.1 102 Processing\r\n\r\n)+/, '');
  const at = rest.indexOf('\r\n\r\n');
  const head = at === -1 ? rest : rest.slice(0, at);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head, body: rest.slice(at + 4) };
}
