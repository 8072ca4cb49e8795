import { eventually, within } from '@hawser/seams/testing';
import type { Logger } from '@hawser/seams';
import {
  TunnelClient,
  TunnelServer,
  tunnelLimits,
  type Credentials,
  type EdgeHello,
  type Hello,
  type HubWelcome,
  type Listener,
  type RequestHandler,
  type SessionFrame,
  type Transport,
  type Tunnel,
  type TunnelClientOptions,
  type TunnelLimits,
  type TunnelServerOptions,
} from '../src/index.ts';
import type { TransportUnderTest } from './contract/harness.ts';
import { TestAuthority } from './test-pki.ts';

/** Options of {@link SessionSite.open}. */
export interface SessionSiteOptions {
  limits?: Partial<TunnelLimits>;
  welcome?: Partial<HubWelcome>;
  server?: Partial<Pick<TunnelServerOptions, 'authorize' | 'epochs' | 'metrics' | 'random'>>;
  log?: Logger;
  onRequest?: RequestHandler;
}

/** A tunnel server with one transport, and clients of it, for one test. */
export class SessionSite {
  readonly underTest: TransportUnderTest;
  readonly authority: TestAuthority;
  readonly limits: TunnelLimits;
  readonly server: TunnelServer;
  readonly transport: Transport;
  /** Sessions at the hub, in order. */
  readonly tunnels: Tunnel[] = [];
  readonly hellos: Hello[] = [];
  /** What the hub does with the frames of sessions. */
  onHubFrame: (frame: SessionFrame, tunnel: Tunnel) => Promise<void> | void = () => {};
  readonly #clients: TunnelClient[] = [];
  readonly #transports: Transport[] = [];
  #listener: Listener | undefined;

  private constructor(
    underTest: TransportUnderTest,
    authority: TestAuthority,
    hub: Credentials,
    options: SessionSiteOptions,
  ) {
    this.underTest = underTest;
    this.authority = authority;
    this.limits = tunnelLimits({ closeTimeoutMs: 300, ...options.limits });
    this.transport = underTest.create({ credentials: () => hub, limits: this.limits });
    this.server = new TunnelServer({
      welcome: {
        software: 'hub/test',
        clusterUid: 'cluster-1',
        incarnation: '1',
        features: ['delta'],
        ...options.welcome,
      },
      limits: this.limits,
      onTunnel: (tunnel, hello) => {
        this.tunnels.push(tunnel);
        this.hellos.push(hello);
        return (frame) => this.onHubFrame(frame, tunnel);
      },
      ...options.server,
      ...(options.log === undefined ? {} : { log: options.log }),
    });
  }

  static async open(underTest: TransportUnderTest, options: SessionSiteOptions = {}): Promise<SessionSite> {
    const authority = await TestAuthority.create();
    const site = new SessionSite(underTest, authority, await authority.hub(), options);
    const { onRequest } = options;
    site.#listener = await site.server.listen(site.transport, {
      host: '127.0.0.1',
      port: 0,
      ...(onRequest === undefined ? {} : { onRequest }),
    });
    return site;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** A transport with credentials of its own. */
  async edgeTransport(node = 'edge-1'): Promise<Transport> {
    const credentials = await this.authority.edge(node);
    const transport = this.underTest.create({ credentials: () => credentials, limits: this.limits });
    this.#transports.push(transport);
    return transport;
  }

  /** A client that is not started. */
  async client(
    hello: Partial<EdgeHello> = {},
    options: Partial<TunnelClientOptions> & { port?: number } = {},
  ): Promise<TunnelClient> {
    const node = hello.node ?? 'edge-1';
    const { port = this.port, ...rest } = options;
    const client = new TunnelClient({
      routes: [{ transport: await this.edgeTransport(node), hub: { host: '127.0.0.1', port } }],
      hello: () => ({ software: 'edge/test', heartbeatMs: 2000, ...hello, node }),
      limits: this.limits,
      onTunnel: () => () => {},
      ...rest,
    });
    this.#clients.push(client);
    return client;
  }

  /** A client that has its session; both ends of it. */
  async connect(
    hello: Partial<EdgeHello> = {},
    options: Partial<TunnelClientOptions> = {},
  ): Promise<{ client: TunnelClient; edge: Tunnel; hub: Tunnel }> {
    const client = await this.client(hello, options);
    client.start();
    await eventually('the session', () => client.state === 'connected');
    const edge = client.tunnel;
    if (edge === undefined) throw new Error('connected, and no tunnel');
    await eventually('the session at the hub', () =>
      this.tunnels.some((tunnel) => tunnel.info.id === edge.info.id),
    );
    const hub = this.tunnels.find((tunnel) => tunnel.info.id === edge.info.id);
    if (hub === undefined) throw new Error('the hub has no such session');
    return { client, edge, hub };
  }

  /** Stops everything; fails if something does not stop. */
  async close(): Promise<void> {
    await within('the clients stopping', Promise.all(this.#clients.map((client) => client.stop())), 10_000);
    await within('the server stopping', this.server.stop(), 10_000);
    await Promise.all([...this.#transports, this.transport].map((transport) => transport.close()));
  }
}
