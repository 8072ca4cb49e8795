import {
  TunnelServer,
  WsTransport,
  tunnelLimits,
  type Credentials,
  type HubWelcome,
  type SessionFrame,
  type Subscribe,
  type Transport,
  type Tunnel,
} from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import {
  contentOf,
  DeltaEncoder,
  packJson,
  ScopePublisher,
  unpackJson,
  type ScopeView,
  type UpstreamKind,
} from '@hawser/sync';
import { MemoryScopeView } from '@hawser/sync/testing';
import { formatBundle } from '../src/identity/identity-bundle.ts';
import { PKI_FILES } from '../src/identity/node-identity.ts';
import { DiskPkiFolder } from '../src/identity/pki-folder.ts';

/** An Upstream as the stub got it. */
export interface ReceivedUpstream {
  readonly kind: string;
  readonly body: unknown;
}

/** What the stub answers to an Upstream. */
export interface UpstreamReply {
  readonly status: number;
  readonly message?: string;
  readonly retryAfterMs?: number;
  /** For kinds that ask for something: not packed. */
  readonly body?: unknown;
}

/** Settings of {@link StubHub.open}. */
export interface StubHubOptions {
  readonly welcome?: Partial<HubWelcome>;
  /** Address that it listens on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Default: a new one. */
  readonly authority?: TestAuthority;
  readonly confirmAfterMs?: number;
}

/**
 * A hub without a cluster: a real tunnel server and real publishers over a view that a test fills, and Upstreams that
 * a test reads.
 */
export class StubHub {
  readonly authority: TestAuthority;
  /** What is given to the node `edge-1`. */
  readonly view = new MemoryScopeView({ scope: 'node/edge-1' });
  /** What is given of pools, by `<pool>/<resource>`; what is not there is refused. */
  readonly pools = new Map<string, ScopeView>();
  readonly received: ReceivedUpstream[] = [];
  readonly tunnels: Tunnel[] = [];
  /** Subscribe frames for the node's scope, over all sessions. */
  subscriptions = 0;
  /** Those to pools, as they came, over all sessions. */
  readonly poolSubscriptions: Subscribe[] = [];
  /** Frames of the kind `delta` that were sent, and their bytes. */
  readonly sent = { deltas: 0, bytes: 0 };
  /** Makes the answer to an Upstream; default: taken. */
  reply: (upstream: ReceivedUpstream) => UpstreamReply | Promise<UpstreamReply> = () => ({ status: 0 });
  readonly #options: StubHubOptions;
  readonly #credentials: Credentials;
  readonly #encoder = new DeltaEncoder();
  #server: TunnelServer;
  #transport: Transport;
  #port = 0;
  /** What the next welcome says. */
  welcome: HubWelcome;

  private constructor(options: StubHubOptions, authority: TestAuthority, credentials: Credentials) {
    this.#options = options;
    this.authority = authority;
    this.#credentials = credentials;
    this.welcome = {
      software: 'hub/test',
      clusterUid: 'cluster-1',
      incarnation: '1',
      ...options.welcome,
    };
    this.#transport = this.#makeTransport();
    this.#server = this.#makeServer();
  }

  static async open(options: StubHubOptions = {}): Promise<StubHub> {
    const authority = options.authority ?? (await TestAuthority.create());
    const hub = new StubHub(options, authority, await authority.hub());
    await hub.#listen(options.port ?? 0);
    return hub;
  }

  /** `127.0.0.1:10000`. */
  get address(): string {
    return `${this.#options.host ?? '127.0.0.1'}:${this.#port}`;
  }

  /** Gives a folder the identity of a node, as a join would. */
  async join(pkiDir: string, node = 'edge-1', credentials?: Credentials): Promise<void> {
    const folder = new DiskPkiFolder(pkiDir);
    await folder.open();
    await folder.write(PKI_FILES.node, formatBundle(credentials ?? (await this.authority.edge(node))));
    const cluster = { node, clusterUid: this.welcome.clusterUid };
    await folder.write(PKI_FILES.cluster, JSON.stringify(cluster));
  }

  /** Puts an object in the view of the node. */
  put(resource: string, object: object): void {
    this.view.put(contentOf(resource, object));
  }

  /** Bodies of one kind, in the order in which they came. */
  bodies(kind: UpstreamKind): readonly unknown[] {
    return this.received.filter((upstream) => upstream.kind === kind).map(({ body }) => body);
  }

  /** Ends all sessions and gives up the port; {@link up} brings it back on the same port. */
  async down(): Promise<void> {
    await this.#server.stop();
    await this.#transport.close();
  }

  async up(): Promise<void> {
    this.#transport = this.#makeTransport();
    this.#server = this.#makeServer();
    await this.#listen(this.#port);
  }

  async close(): Promise<void> {
    await this.down();
    await this.#encoder.stop();
  }

  async #listen(port: number): Promise<void> {
    const host = this.#options.host ?? '127.0.0.1';
    this.#port = (await this.#server.listen(this.#transport, { host, port })).port;
  }

  #makeTransport(): Transport {
    const limits = tunnelLimits({ closeTimeoutMs: 300 });
    return new WsTransport({ credentials: () => this.#credentials, limits });
  }

  #makeServer(): TunnelServer {
    return new TunnelServer({
      welcome: this.welcome,
      limits: tunnelLimits({ closeTimeoutMs: 300 }),
      onTunnel: (tunnel) => this.#serve(tunnel),
    });
  }

  #serve(tunnel: Tunnel): (frame: SessionFrame) => void {
    const publishers = new Map<number, ScopePublisher>();
    this.tunnels.push(tunnel);
    void tunnel.closed.then(() => {
      for (const publisher of publishers.values()) publisher.close();
    });
    return (frame) => {
      switch (frame.body) {
        case 'subscribe':
          this.#subscribe(tunnel, publishers, frame.subscribe);
          return;
        case 'unsubscribe':
          publishers.get(frame.unsubscribe.scope)?.close();
          publishers.delete(frame.unsubscribe.scope);
          return;
        case 'deltaAck':
          publishers.get(frame.deltaAck.scope)?.onAck(frame.deltaAck.sequence);
          return;
        case 'scopeReport':
          publishers.get(frame.scopeReport.scope)?.onReport(frame.scopeReport.body);
          return;
        case 'upstream': {
          const { sequence, kind, body } = frame.upstream;
          void this.#answer(tunnel, sequence, { kind, body: unpackJson(body) });
          return;
        }
        default:
      }
    };
  }

  #subscribe(tunnel: Tunnel, publishers: Map<number, ScopePublisher>, subscribe: Subscribe): void {
    const { scope: scopeId, kind, name, state } = subscribe;
    const view = kind === 'pool' ? this.pools.get(name) : this.view;
    if (kind === 'pool') this.poolSubscriptions.push(subscribe);
    else this.subscriptions += 1;
    if (view === undefined) {
      const error = { code: 'ERR_CLOUDCORE_FORBIDDEN', message: `no ${name} here`, scope: scopeId };
      tunnel.send({ error }).catch(() => {}); // the session has ended
      return;
    }
    const { confirmAfterMs } = this.#options;
    const publisher = new ScopePublisher({
      scopeId,
      view,
      encoder: this.#encoder,
      send: (frame) => {
        if ('delta' in frame) {
          this.sent.deltas += 1;
          this.sent.bytes += frame.delta.body?.length ?? 0;
        }
        return tunnel.send(frame);
      },
      onFailed: (error) => void tunnel.close({ code: 'protocol-error', message: error.message }),
      ...(confirmAfterMs !== undefined && { confirmAfterMs }),
    });
    publishers.set(scopeId, publisher);
    publisher.start(state);
  }

  /** Never rejects: a session that has ended takes no answer. */
  async #answer(tunnel: Tunnel, sequence: number, upstream: ReceivedUpstream): Promise<void> {
    this.received.push(upstream);
    const { status, message = '', retryAfterMs = 0, body } = await this.reply(upstream);
    const packed = body === undefined ? new Uint8Array(0) : packJson(body);
    await tunnel
      .send({ upstreamAck: { sequence, status, message, retryAfterMs, body: packed } })
      .catch(() => {});
  }
}
