import { STREAM_KINDS, type FrameHandler, type SessionRegistry, type Tunnel } from '@hawser/proto';
import { randomBelow, systemRandom, type Clock, type Logger, type Random } from '@hawser/seams';
import { ScopePublisher, type ChangeEncoder, type PublisherCounters, type ScopeView } from '@hawser/sync';
import { Counter, type Registry } from 'prom-client';
import type { AccessSession } from '../api-access/access-session.ts';
import type { ApiAccess } from '../api-access/api-access.ts';
import type { ClusterView } from '../cache/cluster-view.ts';
import type { IdentityService } from '../identity/identity-service.ts';
import type { KubeletAccess } from '../kubelet-endpoint/kubelet-access.ts';
import type { UpstreamHandler } from '../upstream/upstream-handler.ts';
import type { PoolAccess } from '../pools/pool-access.ts';
import { EdgeSession, type PublishedScope } from './edge-session.ts';
import { serveEdgeStreams, type EdgeStreamHandler } from './edge-streams.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { ReportRequests } from './report-requests.ts';
import { UpstreamIntake } from './upstream-intake.ts';

/** What an {@link EdgeHub} is made of. */
export interface EdgeHubOptions {
  /** The present session of each node: the tunnel server's. */
  readonly sessions: () => SessionRegistry;
  readonly cluster: ClusterView;
  readonly identity: Pick<IdentityService, 'isRevoked' | 'onRevoked'>;
  readonly upstream: UpstreamHandler;
  readonly leases: Pick<LeaseKeeper, 'hold' | 'confirm'>;
  readonly reports: Pick<ReportRequests, 'opened'>;
  /** The way to the kubelets of edges; absent: there is none. */
  readonly kubelet?: Pick<KubeletAccess, 'opened'>;
  /** The way of programs at edges to the API server; absent: there is none. */
  readonly apiAccess?: Pick<ApiAccess, 'opened'>;
  /** Scopes of pools; absent: there are none. */
  readonly pools?: PoolAccess;
  readonly encoder: ChangeEncoder;
  /** Shared by all publishers. */
  readonly counters: PublisherCounters;
  /** Looks at the stamp of an edge, and waits until the view is as new; a rejection ends its session. */
  readonly admit: (view: ScopeView, stamp: Uint8Array, signal: AbortSignal) => Promise<void>;
  /** See `ScopePublisherOptions.confirmAfterMs`. */
  readonly confirmAfterMs?: number;
  readonly registry: Registry;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random?: Random;
}

/** The spread of reconnects when all edges have to come again, milliseconds. */
const RECONNECT_SPREAD_MS = 5_000;

/** What the hub does with sessions: begins them, ends them, and knows what ends with them. */
export class EdgeHub {
  readonly #options: EdgeHubOptions;
  readonly #random: Random;
  readonly #forbidden: Counter;
  #stopListening: (() => void) | undefined;

  constructor(options: EdgeHubOptions) {
    this.#options = options;
    this.#random = options.random ?? systemRandom;
    this.#forbidden = new Counter({
      name: 'hawser_scopes_forbidden_total',
      help: 'Subscriptions to scopes that are not those of the node.',
      registers: [options.registry],
    });
  }

  /** Begins to end the sessions of nodes that are revoked. Idempotent. */
  start(): void {
    this.#stopListening ??= this.#options.identity.onRevoked((node) => void this.#endRevoked(node));
  }

  /** Idempotent; sessions are the tunnel server's to end. */
  stop(): void {
    this.#stopListening?.();
    this.#stopListening = () => {};
  }

  /** A session has begun: `TunnelServerOptions.onTunnel`. */
  onTunnel(tunnel: Tunnel): FrameHandler {
    const { cluster, leases, reports, kubelet, pools, upstream, sessions } = this.#options;
    const { node, epoch, id } = tunnel.info;
    const log = this.#options.log.child({ component: 'session', node, session: id });
    const releases = [cluster.claim(node), leases.hold(node, epoch), reports.opened(node)];
    if (kubelet !== undefined) releases.push(kubelet.opened(node, epoch));
    if (pools !== undefined) releases.push(pools.opened(node, tunnel));
    const isCurrent = (): boolean => sessions().get(node) === tunnel;
    const session = new EdgeSession({
      tunnel,
      viewOf: (kind, name) => (kind === 'node' && name === node ? cluster.nodeView(node) : undefined),
      ...(pools && { poolOf: (request) => pools.offer(node, request) }),
      publish: (scope) => this.#publish(tunnel, scope, log),
      intake: new UpstreamIntake({
        ...{ tunnel, isCurrent, handler: upstream },
        confirm: (signal) => leases.confirm(node, epoch, signal),
      }),
      onForbidden: (what) => {
        this.#forbidden.inc();
        log.warn({ scope: what }, 'refused: the node may not have this scope');
      },
      log,
    });
    void serveEdgeStreams(tunnel, this.#streams(tunnel, isCurrent, releases), log);
    void tunnel.closed.then(() => {
      session.end();
      for (const release of releases) release();
    });
    // Revoked since its certificate was looked at.
    if (this.#options.identity.isRevoked(tunnel.peer)) void this.#endRevoked(node);
    return (frame) => session.onFrame(frame);
  }

  /** Another replica has a newer session of the node. */
  async fence(node: string, epoch: number): Promise<void> {
    const tunnel = this.#options.sessions().get(node);
    if (tunnel?.info.epoch !== epoch) return;
    await tunnel.close({ code: 'replaced', message: 'another replica has a newer session of this node' });
  }

  /** Ends all sessions, each edge being asked to come back at a moment of its own. */
  async endAll(message: string): Promise<void> {
    const tunnels = this.#options.sessions().all();
    await Promise.all(tunnels.map((tunnel) => this.endOne(tunnel, message)));
  }

  /** Ends a session, whose edge is asked to come back at a moment of its own. */
  endOne(tunnel: Tunnel, message: string): Promise<void> {
    const retryAfterMs = 1 + randomBelow(this.#random, RECONNECT_SPREAD_MS);
    return tunnel.close({ code: 'going-away', message, retryAfterMs });
  }

  /** What the edge may open streams for. */
  #streams(
    tunnel: Tunnel,
    isCurrent: () => boolean,
    releases: (() => void)[],
  ): ReadonlyMap<string, EdgeStreamHandler> {
    const { apiAccess } = this.#options;
    if (apiAccess === undefined) return new Map();
    // Most sessions carry no requests: nothing of it is there before the first.
    let access: AccessSession | undefined;
    let isOver = false;
    releases.push(() => {
      isOver = true;
      access?.end();
    });
    const take: EdgeStreamHandler = (stream) => {
      if (isOver) stream.reset();
      else (access ??= apiAccess.opened(tunnel, isCurrent)).take(stream);
    };
    return new Map([[STREAM_KINDS.api, take]]);
  }

  #publish(tunnel: Tunnel, scope: PublishedScope, log: Logger): ScopePublisher {
    const { encoder, counters, admit, clock } = this.#options;
    const { offer, ...rest } = scope;
    const confirmAfterMs = offer?.confirmAfterMs ?? this.#options.confirmAfterMs;
    return new ScopePublisher({
      ...rest,
      ...{ encoder, counters, clock, log, random: this.#random },
      ...(confirmAfterMs !== undefined && { confirmAfterMs }),
      admit: (stamp, signal) =>
        offer === undefined ? admit(scope.view, stamp, signal) : offer.view.admit(stamp, signal),
      send: (frame) => {
        if (offer !== undefined && 'delta' in frame) offer.sent(frame.delta.body?.length ?? 0);
        return tunnel.send(frame);
      },
    });
  }

  async #endRevoked(node: string): Promise<void> {
    const tunnel = this.#options.sessions().get(node);
    if (tunnel === undefined || !this.#options.identity.isRevoked(tunnel.peer)) return;
    this.#options.log.warn({ node }, 'session ended: the node was revoked');
    await tunnel.close({ code: 'revoked', message: `the node ${node} was revoked` });
  }
}
