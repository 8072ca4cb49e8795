import { eventually, within } from '@hawser/seams/testing';
import {
  TunnelClient,
  TunnelMetrics,
  TunnelServer,
  tunnelLimits,
  type Credentials,
  type Listener,
  type Stream,
  type Transport,
  type TransportOptions,
  type Tunnel,
  type TunnelLimits,
} from '../../src/index.ts';
import { TestAuthority } from '../../testing/index.ts';

/** What a hub under attack is made of. */
export interface AttackedHubOptions {
  readonly create: (options: TransportOptions) => Transport;
  readonly limits?: Partial<TunnelLimits>;
}

/** A hub whose application echoes, reads, holds or resets streams, by their kind. */
export class AttackedHub {
  readonly authority: TestAuthority;
  readonly server: TunnelServer;
  readonly metrics: TunnelMetrics;
  readonly limits: TunnelLimits;
  readonly #create: (options: TransportOptions) => Transport;
  readonly #transport: Transport;
  readonly #edges = new Map<string, Credentials>();
  #listener: Listener | undefined;

  private constructor(authority: TestAuthority, hub: Credentials, options: AttackedHubOptions) {
    this.authority = authority;
    this.metrics = new TunnelMetrics();
    this.limits = tunnelLimits({ handshakesPerSecond: 100_000, closeTimeoutMs: 500, ...options.limits });
    this.#create = options.create;
    this.#transport = options.create({ credentials: () => hub, limits: this.limits });
    this.server = new TunnelServer({
      welcome: { software: 'hub/test', clusterUid: 'c', incarnation: '1', heartbeatMs: 2000 },
      limits: this.limits,
      metrics: this.metrics,
      onTunnel: (tunnel) => {
        void serveStreams(tunnel);
        return async (frame) => {
          if (frame.body !== 'upstream') return;
          await tunnel.send({ upstreamAck: { sequence: frame.upstream.sequence } });
        };
      },
    });
  }

  /** Opens the hub on a free port of loopback. */
  static async open(options: AttackedHubOptions): Promise<AttackedHub> {
    const authority = await TestAuthority.create();
    const hub = new AttackedHub(authority, await authority.hub(), options);
    hub.#listener = await hub.server.listen(hub.#transport, { host: '127.0.0.1', port: 0 });
    return hub;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** Credentials of a node, made once. */
  async edge(node: string): Promise<Credentials> {
    const credentials = this.#edges.get(node) ?? (await this.authority.edge(node));
    this.#edges.set(node, credentials);
    return credentials;
  }

  /** How many sessions ended for this reason, control and bulk together. */
  async closedFor(reason: string): Promise<number> {
    return this.#count('hawser_tunnel_connections_closed_total', reason);
  }

  /** How many handshakes failed with this code. */
  async failedWith(code: string): Promise<number> {
    return this.#count('hawser_tunnel_handshakes_failed_total', code);
  }

  /** Connections that the metrics show. */
  async shownConnections(): Promise<number> {
    const metric = await this.metrics.registry.getSingleMetric('hawser_tunnel_connections')?.get();
    return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
  }

  /** Waits until these many connections are left, by every count there is. */
  async settlesAt(connections: number, deadlineMs = 15_000): Promise<void> {
    let counts = '';
    const settled = async (): Promise<boolean> => {
      const { gate, sessions } = this.server;
      const shown = await this.shownConnections();
      counts = `gate ${gate.connections}, sessions ${sessions.size}, metrics ${shown}, handshakes ${gate.handshakes}`;
      return counts === `gate ${connections}, sessions ${connections}, metrics ${connections}, handshakes 0`;
    };
    await eventually(`${connections} connections left`, settled, { deadlineMs, intervalMs: 50 }).catch(
      (cause: unknown) => {
        throw new Error(`there are: ${counts}`, { cause });
      },
    );
  }

  /** A well-behaved edge. */
  async client(node: string): Promise<{ client: TunnelClient; transport: Transport }> {
    const credentials = await this.edge(node);
    const transport = this.#create({ credentials: () => credentials, limits: this.limits });
    const client = new TunnelClient({
      routes: [{ transport, hub: { host: '127.0.0.1', port: this.port } }],
      hello: () => ({ node, software: 'edge/test', heartbeatMs: 2000 }),
      onTunnel: () => () => {},
      limits: this.limits,
    });
    return { client, transport };
  }

  async close(): Promise<void> {
    await within('the hub stopping', this.server.stop(), 15_000);
    await this.#transport.close();
  }

  async #count(metric: string, label: string): Promise<number> {
    const { values = [] } = (await this.metrics.registry.getSingleMetric(metric)?.get()) ?? {};
    return values
      .filter(({ labels }) => Object.values(labels).includes(label))
      .reduce((sum, { value }) => sum + value, 0);
  }
}

async function serveStreams(tunnel: Tunnel): Promise<void> {
  for (let stream = await tunnel.acceptStream(); stream !== undefined; stream = await tunnel.acceptStream()) {
    serve(stream).catch(() => {}); // the peer reset it, or its connection ended
  }
}

async function serve(stream: Stream): Promise<void> {
  if (stream.kind === 'hold') return;
  if (stream.kind === 'gone') {
    stream.reset();
    return;
  }
  for await (const chunk of stream) if (stream.kind === 'echo') await stream.write(chunk);
  await stream.end();
}
