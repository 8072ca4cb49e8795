import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  QuicTransport,
  TunnelClient,
  tunnelLimits,
  WebTransportTransport,
  WsTransport,
  type Credentials,
  type EdgeHello,
  type Transport,
  type TunnelClientOptions,
  type TunnelLimits,
} from '@hawser/proto';
import { Link, type LinkOptions } from '../fault-proxy/link.ts';
import { startTcpProxy, type TcpProxy } from '../fault-proxy/tcp-proxy.ts';
import { startUdpProxy, type UdpProxy } from '../fault-proxy/udp-proxy.ts';
import { startNode, type NodeChild } from '../processes/node-child.ts';
import type { HubQuestion, HubReady, HubSettings } from './hub-process.ts';
import { SiteIdentities } from './identities.ts';
import { serveStreams } from './stream-services.ts';

/** The transports that exist. */
export type TransportName = 'ws' | 'quic' | 'webtransport';

/** Settings of {@link TunnelSite.open}. */
export interface TunnelSiteOptions {
  /** The line between edges and hub. Default: a perfect one. */
  readonly link?: LinkOptions;
  readonly limits?: Partial<TunnelLimits>;
  readonly hub?: Omit<HubSettings, 'identities'>;
}

/** Options of {@link TunnelSite.edge}; the rest is the client's. */
export interface SiteEdgeOptions extends Partial<Omit<TunnelClientOptions, 'routes' | 'hello'>> {
  /** What the edge's hello says beyond its node. */
  readonly says?: Partial<EdgeHello>;
  /** Past the link, straight to the hub. Default false. */
  readonly direct?: boolean;
}

/** An edge of a {@link TunnelSite}: its client and what it was made with. */
export interface SiteEdge {
  readonly client: TunnelClient;
  readonly transport: Transport;
  stop(): Promise<void>;
}

/**
 * A hub in a process of its own behind a {@link Link}, and edges in this process: what tests, benches and the
 * demonstration of the tunnel stand on.
 */
export class TunnelSite {
  readonly link: Link;
  readonly limits: TunnelLimits;
  readonly identities: SiteIdentities;
  readonly #dir: string;
  readonly #options: TunnelSiteOptions;
  readonly #edges = new Set<SiteEdge>();
  #hub: NodeChild | undefined;
  #ports: Readonly<Record<string, number>> = {};
  #tcp: TcpProxy | undefined;
  #udp: UdpProxy | undefined;
  #webTransport: TcpProxy | undefined;

  private constructor(dir: string, identities: SiteIdentities, options: TunnelSiteOptions) {
    this.#dir = dir;
    this.#options = options;
    this.identities = identities;
    this.link = new Link(options.link ?? {});
    this.limits = tunnelLimits(options.limits ?? {});
  }

  /** Starts the hub and the proxies. */
  static async open(options: TunnelSiteOptions = {}): Promise<TunnelSite> {
    const dir = await mkdtemp(path.join(tmpdir(), 'hawser-site-'));
    const site = new TunnelSite(dir, await SiteIdentities.create(dir), options);
    await site.startHub();
    const { ws, quic, webtransport } = site.#ports;
    const host = '127.0.0.1';
    if (ws !== undefined) site.#tcp = await startTcpProxy({ link: site.link, target: { host, port: ws } });
    if (quic !== undefined)
      site.#udp = await startUdpProxy({ link: site.link, target: { host, port: quic } });
    if (webtransport !== undefined)
      site.#webTransport = await startTcpProxy({ link: site.link, target: { host, port: webtransport } });
    return site;
  }

  /** The hub's process. */
  get hub(): NodeChild {
    if (this.#hub === undefined) throw new TypeError('the hub is not running');
    return this.#hub;
  }

  /** The hub's own port for a transport, past the link. */
  hubPort(transport: TransportName): number {
    return this.#ports[transport] ?? 0;
  }

  /** Where edges reach the hub over the link. */
  edgePort(transport: TransportName): number {
    const proxies = { ws: this.#tcp, quic: this.#udp, webtransport: this.#webTransport };
    return proxies[transport]?.port ?? 0;
  }

  /** Starts the hub, on the ports that it had before if it had any. */
  async startHub(): Promise<void> {
    const { ws, quic, webtransport } = this.#ports;
    const settings: HubSettings = {
      ...this.#options.hub,
      identities: this.#dir,
      ...(ws === undefined ? {} : { wsPort: ws }),
      ...(quic === undefined ? {} : { quicPort: quic }),
      ...(webtransport === undefined ? {} : { webTransportPort: webtransport }),
    };
    this.#hub = await startNode({
      script: new URL('hub-process.js', import.meta.url),
      args: [JSON.stringify(settings)],
      execArgv: ['--expose-gc'],
    });
    this.#ports = (this.#hub.ready as HubReady).ports;
  }

  /** Asks the hub something. */
  async ask<T>(question: HubQuestion, deadlineMs = 60_000): Promise<T> {
    await this.hub.send({ ...question });
    const fits = (message: unknown): boolean => (message as { ask?: unknown }).ask === question.ask;
    return (await this.hub.message(fits, deadlineMs)) as T;
  }

  /** Makes a transport with an edge's credentials. */
  transport(name: TransportName, credentials: Credentials): Transport {
    const options = { credentials: () => credentials, limits: this.limits };
    switch (name) {
      case 'ws':
        return new WsTransport(options);
      case 'quic':
        return new QuicTransport(options);
      case 'webtransport':
        return new WebTransportTransport(options);
    }
  }

  /** An edge in this process, started. */
  async edge(name: TransportName, node: string, options: SiteEdgeOptions = {}): Promise<SiteEdge> {
    const { says, direct = false, ...rest } = options;
    const transport = this.transport(name, await this.identities.edge(node));
    const port = direct ? this.hubPort(name) : this.edgePort(name);
    const client = new TunnelClient({
      routes: [{ transport, hub: { host: '127.0.0.1', port } }],
      hello: () => ({ software: 'edge/e2e', heartbeatMs: 2000, ...says, node }),
      limits: this.limits,
      onTunnel: (tunnel) => {
        void serveStreams(tunnel);
        return () => {};
      },
      ...rest,
    });
    const edge: SiteEdge = {
      client,
      transport,
      stop: async () => {
        this.#edges.delete(edge);
        await client.stop();
        await transport.close();
      },
    };
    this.#edges.add(edge);
    client.start();
    return edge;
  }

  /** Stops edges, proxies and hub, and removes the site's files. */
  async close(): Promise<void> {
    for (const edge of [...this.#edges]) await edge.stop();
    await this.#tcp?.stop();
    await this.#udp?.stop();
    await this.#webTransport?.stop();
    await this.#hub?.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
