import path from 'node:path';
import { joinCluster, type EdgeConfigInput, type PoolStatus } from '@hawser/edgecore';
import type { ClusterSite } from '../cluster-site/cluster-site.ts';
import type { SiteEdge } from '../cluster-site/site-edge.ts';
import { Link } from '../fault-proxy/link.ts';
import { startTcpProxy } from '../fault-proxy/tcp-proxy.ts';
import { startUdpProxy } from '../fault-proxy/udp-proxy.ts';
import type { TransportChoice } from './choices.ts';
import { killNow } from './kill-now.ts';

/** Settings of {@link DemoEdge.open}. */
export interface DemoEdgeOptions {
  readonly node: string;
  readonly transport: TransportChoice;
  readonly config?: EdgeConfigInput;
}

/** Longer than in tests: each sign of life costs, and over TCP what is cut here is noticed at once. */
const HEARTBEAT_MS = 5000;
/** Three of them missing is all that tells of a cut line where QUIC may be used. */
const QUIC_HEARTBEAT_MS = 2000;

/** An edge with a line of its own to the hub, which can be cut, and on which bytes are counted. */
export class DemoEdge {
  readonly edge: SiteEdge;
  readonly link: Link;
  readonly transport: TransportChoice;
  readonly #site: ClusterSite;
  readonly #proxies: readonly { stop(): Promise<void> }[];

  private constructor(parts: {
    edge: SiteEdge;
    link: Link;
    transport: TransportChoice;
    site: ClusterSite;
    proxies: readonly { stop(): Promise<void> }[];
  }) {
    this.edge = parts.edge;
    this.link = parts.link;
    this.transport = parts.transport;
    this.#site = parts.site;
    this.#proxies = parts.proxies;
  }

  /** One that has a folder and a line, has not joined, and is not started. */
  static async open(site: ClusterSite, options: DemoEdgeOptions): Promise<DemoEdge> {
    const { node, transport, config = {} } = options;
    const link = new Link();
    const { host, port, quicPort, webTransportPort } = site.directAddress();
    const proxies: { readonly port: number; stop(): Promise<void> }[] = [];
    const proxied = async <P extends (typeof proxies)[number]>(starting: Promise<P>): Promise<P> => {
      const proxy = await starting;
      proxies.push(proxy);
      return proxy;
    };
    try {
      const tcp = await proxied(startTcpProxy({ link, target: { host, port } }));
      const udp =
        quicPort === undefined
          ? undefined
          : await proxied(startUdpProxy({ link, target: { host, port: quicPort } }));
      const web =
        webTransportPort === undefined
          ? undefined
          : await proxied(startTcpProxy({ link, target: { host, port: webTransportPort } }));
      const edge = await site.unjoined(node, {
        config: {
          ...config,
          hub: {
            address: `127.0.0.1:${tcp.port}`,
            ...(udp !== undefined && { quicPort: udp.port }),
            ...(web !== undefined && { webTransportPort: web.port }),
            transport,
            heartbeatMs: transport === 'quic' || transport === 'auto' ? QUIC_HEARTBEAT_MS : HEARTBEAT_MS,
          },
          pool: { listen: '127.0.0.1:0', advertise: '127.0.0.1' },
          eventBus: { listen: '127.0.0.1:0' },
        },
      });
      return new DemoEdge({ edge, link, transport, site, proxies });
    } catch (error) {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      throw error;
    }
  }

  get node(): string {
    return this.edge.node;
  }

  /** Payload that has passed its line so far. */
  get bytes(): { readonly up: number; readonly down: number } {
    const { up, down } = this.link.stats;
    return {
      up: up.tcp.payloadBytes + up.udp.payloadBytes,
      down: down.tcp.payloadBytes + down.udp.payloadBytes,
    };
  }

  /** Counts what passes from now on, both ways. */
  bytesPassed(): () => number {
    const now = (): number => this.bytes.up + this.bytes.down;
    const before = now();
    return () => now() - before;
  }

  /** What its session goes over: of those that it may choose from, the one that it has chosen. */
  async connectedBy(): Promise<string> {
    const { session } = await this.edge.admin.status();
    return session.current?.transport ?? this.transport;
  }

  /** Joins, or joins again after it was revoked. */
  async join(token: string, rejoin = false): Promise<void> {
    const folder = path.join(this.edge.dataDir, 'pki');
    await joinCluster({ hub: this.#site.directAddress(), token, node: this.node, folder, rejoin });
  }

  /** What it says of its pool; undefined: nothing, or it does not run. */
  async pool(): Promise<PoolStatus | undefined> {
    if (!this.edge.runs) return undefined;
    return await this.edge.admin.pool().catch(() => undefined); // it is starting, or has just been killed
  }

  /** Ends it and its mappers at once, as the loss of power does; its pods are ended past it. */
  async losePower(): Promise<void> {
    const { items } = await this.edge.admin.mappers();
    await this.edge.kill();
    for (const { pid } of items) if (pid !== undefined) killNow(-pid); // its process group
  }

  /** Ends it, and its line. */
  async close(): Promise<void> {
    await this.edge.stop();
    for (const proxy of this.#proxies) await proxy.stop();
  }
}
