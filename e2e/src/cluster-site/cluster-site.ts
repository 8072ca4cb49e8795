import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  ensureAuthority,
  HAWSER_NAMESPACE,
  JoinTokens,
  OBJECTS,
  type CloudCoreConfigInput,
  type TokenOrder,
} from '@hawser/cloudcore';
import { joinCluster, type EdgeConfigInput } from '@hawser/edgecore';
import { ResourceClient, RESOURCES, type ApiClient } from '@hawser/kube';
import { kubeConfigClient, loadKubeConfig } from '@hawser/kube/kubeconfig';
import { Link, type LinkOptions } from '../fault-proxy/link.ts';
import { startTcpProxy, type TcpProxy } from '../fault-proxy/tcp-proxy.ts';
import { startUdpProxy, type UdpProxy } from '../fault-proxy/udp-proxy.ts';
import { startNode, type NodeChild, type NodeChildOptions } from '../processes/node-child.ts';
import type { ControlPlaneSettings, RequestCount } from './control-plane-process.ts';
import type { HubProcessReady, HubProcessSettings } from './hub-process.ts';
import { ask } from './ipc-calls.ts';
import { relayedClient } from './relayed-client.ts';
import { SiteEdge } from './site-edge.ts';
import { SiteObjects } from './site-objects.ts';
import { unmountBelow } from './unmount-below.ts';

/** Settings of {@link ClusterSite.open}. */
export interface ClusterSiteOptions {
  /** Replicas of the hub. Default 1. */
  readonly replicas?: number;
  /** What differs from the configuration of a hub of a test. */
  readonly hub?: Partial<CloudCoreConfigInput>;
  readonly controlPlane?: Partial<ControlPlaneSettings>;
  /** Kubeconfig file of a cluster that is there: no control plane is started, and it is not stopped. */
  readonly kubeconfig?: string;
  /** Called when the control plane runs, and before the first hub does. */
  readonly prepare?: (site: ClusterSite) => Promise<void>;
  /** The line between edges and hubs. Default: a perfect one. */
  readonly link?: LinkOptions;
  /** Namespaces: control plane and hubs in one, edges in others. No link then. */
  readonly netns?: SitePlaces;
  /** Options of Node for the hubs, such as `--expose-gc`. */
  readonly hubExecArgv?: readonly string[];
}

/** Settings of {@link ClusterSite.edge}; the rest is the configuration of the edge. */
export interface ClusterEdgeOptions {
  /** The hub that it connects to. Default 0, the first. */
  readonly hub?: number;
  readonly transport?: 'ws' | 'quic' | 'webtransport';
  readonly config?: EdgeConfigInput;
  readonly token?: TokenOrder;
  /** A command that it runs under; it must become Node by exec, as `setpriv` does. */
  readonly under?: readonly string[];
}

/** Where the processes of a site run: a `NetnsPair`, a `SwitchedNetwork`. */
export interface SitePlaces {
  readonly cloud: SitePlace & {
    /** The address by which edges reach it. */
    readonly address: string;
  };
  edgeOf(node: string): SitePlace;
}

/** A namespace. */
export interface SitePlace {
  startNode(options: Omit<NodeChildOptions, 'under'>): Promise<NodeChild>;
}

interface SiteHub {
  readonly child: NodeChild;
  readonly ready: HubProcessReady;
}

/** What edges dial instead of a hub. */
interface SiteProxies {
  readonly tcp: TcpProxy;
  readonly udp: UdpProxy | undefined;
  readonly webTransport: TcpProxy | undefined;
}

/** On a machine that runs many tests at once. */
const CLOUD_START_LIMIT_MS = 60_000;
/** Writes, as an API server counts them. */
const WRITE_VERBS: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);

/**
 * A control plane, hubs, and edges, each in a process of its own, over a {@link Link} that can be cut: what tests
 * and benches of the whole stand on. Hubs keep their ports over restarts.
 */
export class ClusterSite {
  readonly link: Link;
  readonly dir: string;
  readonly kubeconfig: string;
  readonly edges: SiteEdge[] = [];
  readonly objects = new SiteObjects(() => this.client);
  readonly #options: ClusterSiteOptions;
  readonly #hubs: (SiteHub | undefined)[] = [];
  readonly #ports: HubProcessReady[] = [];
  readonly #proxies: SiteProxies[] = [];
  /** Folders of edges that were given out. */
  #folders = 0;
  #controlPlane: NodeChild | undefined;
  #client: ApiClient | undefined;
  #tokens: JoinTokens | undefined;

  private constructor(dir: string, options: ClusterSiteOptions) {
    this.dir = dir;
    this.#options = options;
    this.link = new Link(options.link ?? {});
    this.kubeconfig = options.kubeconfig ?? path.join(dir, 'kubeconfig');
  }

  /** Starts the control plane and the hubs. */
  static async open(options: ClusterSiteOptions = {}): Promise<ClusterSite> {
    const site = new ClusterSite(await mkdtemp(path.join(tmpdir(), 'hwsr-')), options);
    try {
      if (options.kubeconfig === undefined) await site.startControlPlane();
      else site.#client = kubeConfigClient(loadKubeConfig({ path: options.kubeconfig }));
      await options.prepare?.(site);
      for (let index = 0; index < (options.replicas ?? 1); index++) await site.startHub(index);
    } catch (error) {
      await site.close();
      throw error;
    }
    return site;
  }

  /** A client with all rights; calls only, no watches. */
  get client(): ApiClient {
    if (this.#client === undefined) throw new TypeError('the control plane does not run');
    return this.#client;
  }

  get controlPlane(): NodeChild {
    if (this.#controlPlane === undefined) throw new TypeError('the control plane does not run');
    return this.#controlPlane;
  }

  /** The process of a hub. */
  hub(index = 0): NodeChild {
    const hub = this.#hubs[index];
    if (hub === undefined) throw new TypeError(`hub ${index} does not run`);
    return hub.child;
  }

  /** Address and port of a hub as edges dial it. */
  address(index = 0): { host: string; port: number } {
    const { netns } = this.#options;
    const port = this.#ports[index]?.websocketPort ?? 0;
    if (netns !== undefined) return { host: netns.cloud.address, port };
    return { host: '127.0.0.1', port: this.#proxies[index]?.tcp.port ?? port };
  }

  /** The UDP port of a hub as edges dial it; it is to have one. */
  quicPort(index = 0): number {
    const port = this.#proxies[index]?.udp?.port ?? this.#ports[index]?.quicPort;
    if (port === undefined) throw new TypeError(`hub ${index} has no QUIC`);
    return port;
  }

  /** Starts the control plane, on its former port if it had one and keeps its data. */
  async startControlPlane(settings: Partial<ControlPlaneSettings> = {}): Promise<void> {
    const whole = { kubeconfig: this.kubeconfig, ...this.#options.controlPlane, ...settings };
    this.#controlPlane = await this.#startCloud({
      script: new URL('control-plane-process.js', import.meta.url),
      args: [JSON.stringify(whole)],
    });
    this.#client = relayedClient(this.#controlPlane);
    this.#tokens = undefined;
  }

  /** Stops the control plane in good order. */
  async stopControlPlane(): Promise<void> {
    await this.#controlPlane?.stop(20_000);
    this.#controlPlane = undefined;
    this.#client = undefined;
  }

  /** Starts a hub, on the ports that it had before if it had any. */
  async startHub(index = 0, config: Partial<CloudCoreConfigInput> = {}): Promise<void> {
    const { netns, hub: given, hubExecArgv = [] } = this.#options;
    const before = this.#ports[index];
    const settings: HubProcessSettings = {
      config: {
        kubeconfig: this.kubeconfig,
        replica: `hub-${index}`,
        advertise: netns === undefined ? ['127.0.0.1'] : [netns.cloud.address],
        operations: { host: '127.0.0.1', port: 0 },
        heartbeatSeconds: 2,
        ...given,
        ...config,
        listen: {
          host: netns === undefined ? '127.0.0.1' : '0.0.0.0',
          websocketPort: 0,
          quicPort: null,
          webTransportPort: null,
          ...given?.listen,
          ...(before !== undefined && {
            websocketPort: before.websocketPort,
            quicPort: before.quicPort ?? null,
            webTransportPort: before.webTransportPort ?? null,
          }),
        },
      },
    };
    const child = await this.#startCloud({
      script: new URL('hub-process.js', import.meta.url),
      args: [JSON.stringify(settings)],
      execArgv: ['--expose-gc', ...hubExecArgv],
    });
    const ready = child.ready as HubProcessReady;
    this.#hubs[index] = { child, ready };
    this.#ports[index] = ready;
    if (netns === undefined && this.#proxies[index] === undefined) await this.#openProxies(index, ready);
  }

  /** Kills a hub, as a crash would. */
  async killHub(index = 0): Promise<void> {
    await this.#hubs[index]?.child.kill();
    this.#hubs[index] = undefined;
  }

  /** Stops a hub in good order. */
  async stopHub(index = 0): Promise<void> {
    await this.#hubs[index]?.child.stop();
    this.#hubs[index] = undefined;
  }

  /**
   * What dials a hub reaches another one (or it itself again, or one of another site) from now on, as behind a load
   * balancer. Connections that exist stay: `link.reset()` ends them.
   */
  route(from: number, to: number | { readonly host: string; readonly port: number }): void {
    const proxy = this.#proxies[from];
    if (proxy === undefined) throw new TypeError(`hub ${from} has no proxy`);
    proxy.tcp.target = typeof to === 'number' ? this.directAddress(to) : to;
  }

  /** A token to join with. */
  async token(order: TokenOrder = {}): Promise<string> {
    this.#tokens ??= new JoinTokens({ client: this.client, pin: (await ensureAuthority(this.client)).pin });
    return (await this.#tokens.create(order)).token;
  }

  /** The authority's certificate and key, PEM: to make many edges without joining each. */
  async authority(): Promise<{ certificate: string; privateKey: string }> {
    await ensureAuthority(this.client);
    const secrets = new ResourceClient(this.client, RESOURCES.secrets);
    const secret = await secrets.get(HAWSER_NAMESPACE, OBJECTS.authority);
    const data = secret['data'] as Readonly<Record<string, string>>;
    const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
    return { certificate: text('tls.crt'), privateKey: text('tls.key') };
  }

  /** A node that has joined, not started. */
  async joined(node: string, options: ClusterEdgeOptions = {}): Promise<SiteEdge> {
    const edge = await this.unjoined(node, options);
    await this.join(edge, await this.token({ node, ...options.token }), options.hub);
    return edge;
  }

  /** Joins an edge that has a folder and nothing in it. */
  async join(edge: SiteEdge, token: string, hub = 0): Promise<void> {
    if (this.#options.netns !== undefined) {
      await this.joinInNamespace(edge, token);
      return;
    }
    const folder = path.join(edge.dataDir, 'pki');
    await joinCluster({ hub: this.directAddress(hub), token, node: edge.node, folder });
  }

  /** A node that has joined, started and in sync. */
  async edge(node: string, options: ClusterEdgeOptions = {}): Promise<SiteEdge> {
    const edge = await this.joined(node, options);
    await edge.start();
    await edge.untilInSync();
    return edge;
  }

  /** A node that has a folder and nothing in it. */
  async unjoined(node: string, options: ClusterEdgeOptions = {}): Promise<SiteEdge> {
    const { hub = 0, transport = 'ws', config = {}, under } = options;
    const dir = path.join(this.dir, `e${this.#folders++}`);
    // Not the site's own folder, which is gone once it is closed.
    for (const folder of [dir, path.join(dir, 'data')]) await mkdir(folder, { mode: 0o700 });
    const { host, port } = this.address(hub);
    const edge = new SiteEdge({
      ...{ node, dir },
      config: {
        ...config,
        hub: {
          address: `${host}:${port}`,
          transport,
          heartbeatMs: 2000,
          ...(transport === 'quic' && { quicPort: this.quicPort(hub) }),
          ...(transport === 'webtransport' && { webTransportPort: this.webTransportPort(hub) }),
          ...config.hub,
        },
      },
      startNode: (child) => this.#startEdge(node, { ...child, ...(under !== undefined && { under }) }),
    });
    this.edges.push(edge);
    return edge;
  }

  /** Joins from the edges' namespace. @returns how long it took, milliseconds */
  async joinInNamespace(edge: SiteEdge, token: string): Promise<number> {
    const settings = { hub: this.address(), token, node: edge.node, folder: path.join(edge.dataDir, 'pki') };
    const child = await this.#startEdge(edge.node, {
      script: new URL('join-process.js', import.meta.url),
      args: [JSON.stringify(settings)],
    });
    const { elapsedMs } = child.ready as { elapsedMs: number };
    await child.exited;
    return elapsedMs;
  }

  /** Requests that the API server has answered so far. */
  requests(): Promise<readonly RequestCount[]> {
    return ask(this.controlPlane, 'requests');
  }

  /** Writes that the API server has carried out so far, of these resources or all but those given. */
  async writes(counts: (request: RequestCount) => boolean = () => true): Promise<number> {
    const requests = await this.requests();
    return requests
      .filter((request) => WRITE_VERBS.has(request.verb) && request.code.startsWith('2') && counts(request))
      .reduce((sum, { count }) => sum + count, 0);
  }

  /** The value of a hub's metric, added up over its labels. */
  async hubMetric(name: string, index = 0): Promise<number> {
    const text = await ask<string>(this.hub(index), 'metrics');
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  /** Why a hub is not ready for edges; empty: it is. */
  unready(index = 0): Promise<readonly string[]> {
    return ask(this.hub(index), 'unready');
  }

  /** Stops everything and removes the site's files. */
  async close(): Promise<void> {
    await Promise.allSettled(this.edges.map((edge) => edge.close()));
    for (const hub of this.#hubs) await hub?.child.stop();
    await this.#controlPlane?.stop();
    this.#client?.close();
    for (const { tcp, udp, webTransport } of this.#proxies) {
      await tcp.stop();
      await udp?.stop();
      await webTransport?.stop();
    }
    await unmountBelow(this.dir);
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Address and port of a hub past the link, and its ports for other transports. */
  directAddress(index = 0): {
    host: string;
    port: number;
    quicPort: number | undefined;
    webTransportPort: number | undefined;
  } {
    const { websocketPort = 0, quicPort, webTransportPort } = this.#ports[index] ?? {};
    return { host: '127.0.0.1', port: websocketPort, quicPort, webTransportPort };
  }

  /** Port of a hub for WebTransport as edges dial it. @throws TypeError where it has none */
  webTransportPort(hub = 0): number {
    const port = this.#proxies[hub]?.webTransport?.port ?? this.#ports[hub]?.webTransportPort;
    if (port === undefined) throw new TypeError(`hub ${hub} has no WebTransport`);
    return port;
  }

  async #openProxies(index: number, ports: HubProcessReady): Promise<void> {
    const { link } = this;
    const target = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port });
    const { websocketPort, quicPort, webTransportPort } = ports;
    this.#proxies[index] = {
      tcp: await startTcpProxy({ link, target: target(websocketPort) }),
      udp: quicPort === undefined ? undefined : await startUdpProxy({ link, target: target(quicPort) }),
      webTransport:
        webTransportPort === undefined
          ? undefined
          : await startTcpProxy({ link, target: target(webTransportPort) }),
    };
  }

  #startCloud(given: NodeChildOptions): Promise<NodeChild> {
    const options = { readyTimeoutMs: CLOUD_START_LIMIT_MS, ...given };
    return this.#options.netns?.cloud.startNode(options) ?? startNode(options);
  }

  #startEdge(node: string, options: NodeChildOptions): Promise<NodeChild> {
    return this.#options.netns?.edgeOf(node).startNode(options) ?? startNode(options);
  }
}
