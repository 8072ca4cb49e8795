import { X509Certificate, type KeyObject } from 'node:crypto';
import { request } from 'node:https';
import { HttpApiClient } from '@hawser/kube';
import { startKubeFixture as startFixture, type KubeFixture } from '@hawser/kube/testing';
import { HandshakeGate, tunnelLimits, WsTransport, type Listener } from '@hawser/proto';
import type { Clock, Logger } from '@hawser/seams';
import { HubIdentity, type HubIdentityOptions } from '../../src/identity/hub-identity.ts';
import type { TokenOrder } from '../../src/identity/join-tokens.ts';
import { makeCsr, type TestCsr } from './csr.ts';

/** An answer of a hub. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly retryAfter: string | undefined;
}

/** A client certificate with its key. */
export interface ClientIdentity {
  readonly privateKey: KeyObject;
  readonly certificate: X509Certificate;
}

/** A hub with a port, on an API server of the test's. */
export class HubSite {
  readonly identity: HubIdentity;
  readonly client: HttpApiClient;
  readonly #clock: Clock;
  readonly #transport: WsTransport;
  #listener: Listener | undefined;

  constructor(url: string, options: Partial<HubIdentityOptions> & { clock: Clock; logger?: Logger }) {
    this.client = new HttpApiClient({ server: url, retries: 0, timeoutMs: 5000 });
    this.#clock = options.clock;
    this.identity = new HubIdentity({ client: this.client, names: [], loopback: true, ...options });
    this.#transport = new WsTransport({
      limits: tunnelLimits(),
      credentials: () => this.identity.credentials(),
      verify: {
        isRevoked: (peer) => this.identity.isRevoked(peer),
        wallMs: () => this.#clock.wallMs(),
      },
    });
  }

  get port(): number {
    if (this.#listener === undefined) throw new TypeError('the site has not been started');
    return this.#listener.port;
  }

  async start(): Promise<this> {
    await this.identity.start();
    this.#listener = await this.#transport.listen({
      host: '127.0.0.1',
      port: 0,
      gate: new HandshakeGate(tunnelLimits()),
      onConnection: () => Promise.resolve(),
      onRequest: (incoming, response) => this.identity.serve(incoming, response),
    });
    return this;
  }

  async stop(): Promise<void> {
    await this.#listener?.close();
    await this.#transport.close();
    await this.identity.stop();
    this.client.close();
  }

  /** A new token's text. */
  async token(order: TokenOrder = {}): Promise<string> {
    return (await this.identity.tokens.create(order)).token;
  }

  /** One request over TLS; the server is believed, whoever it is. */
  call(method: string, path: string, body?: unknown, client?: ClientIdentity): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: this.port,
          method,
          path,
          agent: false,
          rejectUnauthorized: false,
          minVersion: 'TLSv1.3',
          ...(client !== undefined && {
            key: client.privateKey.export({ format: 'pem', type: 'pkcs8' }),
            cert: client.certificate.toString(),
          }),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const received = Buffer.concat(chunks).toString('utf8');
            const isJson = response.headers['content-type'] === 'application/json';
            resolve({
              status: response.statusCode ?? 0,
              text: received,
              body: isJson ? (JSON.parse(received) as Record<string, unknown>) : {},
              retryAfter: response.headers['retry-after'],
            });
          });
          response.on('error', reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  }

  /** Asks to join, with a fresh key unless one is given. */
  async join(
    node: string,
    token: string,
    more: { csr?: TestCsr; pool?: string } = {},
  ): Promise<Answer & { readonly csr: TestCsr }> {
    const csr = more.csr ?? (await makeCsr(node));
    const pool = more.pool === undefined ? {} : { pool: more.pool };
    return { ...(await this.call('POST', '/v1/join', { token, csr: csr.pem, node, ...pool })), csr };
  }

  /** Joins with a new token, and answers who the node is then. */
  async joined(node: string, order: TokenOrder = {}): Promise<ClientIdentity & { readonly csr: TestCsr }> {
    const answer = await this.join(node, await this.token(order));
    if (answer.status !== 200) throw new Error(`the join failed: ${answer.text}`);
    return { ...clientOf(answer), csr: answer.csr };
  }
}

/** The identity that a node has after a join or a renewal. */
export function clientOf({ body, csr }: Answer & { readonly csr: TestCsr }): ClientIdentity {
  return { privateKey: csr.privateKey, certificate: new X509Certificate(String(body['certificate'])) };
}

/** An API server that does not wait for its watchers when it stops. */
export function startKubeFixture(): Promise<KubeFixture> {
  return startFixture({ server: { limits: { stopMs: 50 } } });
}
