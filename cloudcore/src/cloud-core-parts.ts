import { hostname } from 'node:os';
import type { ApiClient, BareConnections } from '@hawser/kube';
import {
  QuicTransport,
  tunnelLimits,
  TunnelMetrics,
  TunnelServer,
  WebTransportTransport,
  WsTransport,
  type CloseReason,
  type HubWelcome,
  type RequestHandler,
  type SessionInfo,
  type Transport,
  type TransportOptions,
  type TunnelLimits,
} from '@hawser/proto';
import { delay, systemRandom, type Clock, type Logger } from '@hawser/seams';
import { DeltaEncoder, publisherCounters, VersionCache } from '@hawser/sync';
import type { Registry } from 'prom-client';
import { ApiAccess } from './api-access/api-access.ts';
import { ClusterCache } from './cache/cluster-cache.ts';
import { ApiVersionReader } from './cluster/api-version-reader.ts';
import { ClusterIdentity } from './cluster/cluster-identity.ts';
import { StampGuard } from './cluster/stamp-guard.ts';
import { Stamps } from './cluster/stamps.ts';
import { bindable } from './config/listen-host.ts';
import type { CloudCoreConfig } from './config/schema.ts';
import { DeviceValidator } from './devices/device-validator.ts';
import { HubIdentity } from './identity/hub-identity.ts';
import { KubeletAccess, type KubeletAccessOptions } from './kubelet-endpoint/kubelet-access.ts';
import { PoolParts } from './pools/pool-parts.ts';
import type { Pools } from './pools/pools.ts';
import { drainSessions } from './sessions/drain.ts';
import { EdgeHub } from './sessions/edge-hub.ts';
import { LeaseKeeper } from './sessions/lease-keeper.ts';
import { ReportRequests } from './sessions/report-requests.ts';
import { syncMetrics } from './sessions/sync-metrics.ts';
import { TolerationsController } from './tolerations/tolerations-controller.ts';
import { uploadTarget } from './config/upload-target.ts';
import { UpstreamRouter } from './upstream/upstream-router.ts';
import type { WriteLimits } from './upstream/write-gate.ts';
import { VERSION } from './version.ts';

/** What {@link CloudCoreParts} are made with. */
export interface CloudCorePartsOptions {
  readonly config: CloudCoreConfig;
  readonly client: ApiClient;
  /** The way to the API server for programs at edges; undefined: there is none. */
  readonly server: BareConnections | undefined;
  readonly registry: Registry;
  readonly log: Logger;
  readonly clock: Clock;
}

/** The ports that edges reach. */
export interface TunnelPorts {
  readonly websocket: number;
  readonly quic: number | undefined;
  readonly webTransport: number | undefined;
}

/** When an edge that comes too early may come again, milliseconds. */
const TOO_EARLY_MS = 2_000;

/**
 * The parts of the hub, made and joined to each other. They start in the order of what they need: who we are → which
 * cluster this is → the caches and what works from them → the ports. They stop in reverse.
 */
export class CloudCoreParts {
  readonly #options: CloudCorePartsOptions;
  readonly #identity: HubIdentity;
  readonly #cluster: ClusterIdentity;
  readonly #versions: ApiVersionReader;
  readonly #limits: TunnelLimits;
  readonly #undo: (() => Promise<void> | void)[] = [];
  #serving:
    | { readonly server: TunnelServer; readonly cache: ClusterCache; readonly pools: Pools | undefined }
    | undefined;
  #ports: TunnelPorts | undefined;
  /** `leaving`: it serves, and says that it will not for long; `draining`: nobody is let in any more. */
  #phase: 'serving' | 'leaving' | 'draining' = 'serving';

  constructor(options: CloudCorePartsOptions) {
    const { config, client, log, clock } = options;
    this.#options = options;
    this.#limits = tunnelLimits(config.limits);
    this.#identity = new HubIdentity({
      ...{ client, clock, logger: log },
      names: [...new Set([...advertised(config), kubeletAddress(config)])],
      loopback: true,
      nodeCertificateDays: config.certificateDays,
      graceDays: config.renewalGraceDays,
    });
    this.#cluster = new ClusterIdentity({ client, clock, logger: log });
    this.#versions = new ApiVersionReader({ client, clock });
  }

  /** Names of the nodes that have a session. */
  get nodes(): readonly string[] {
    return this.#serving?.server.sessions.all().map(({ info }) => info.node) ?? [];
  }

  /** @throws TypeError before {@link listen} */
  get ports(): TunnelPorts {
    if (this.#ports === undefined) throw new TypeError('the hub does not listen');
    return this.#ports;
  }

  /** Why it is not ready for edges, one line each; empty: it is. */
  unready(): readonly string[] {
    return [
      ...(this.#phase === 'serving' ? [] : ['it is stopping']),
      ...(this.#cluster.current === undefined ? ['it is not known yet which cluster this is'] : []),
      ...(this.#ports === undefined ? ['it does not listen for edges yet'] : []),
      ...(this.#serving?.cache.ready === true ? [] : ['not all resources of the cluster were listed yet']),
      ...(this.#serving?.pools?.ready === false ? ['it is not known yet which pools there are'] : []),
    ];
  }

  /**
   * Reads who the hub is and which cluster this is. May be called again where it failed.
   * Errors: as `HubIdentity.start` and `ClusterIdentity.waitUntilKnown`.
   */
  async identify(signal?: AbortSignal): Promise<void> {
    await this.#identity.start();
    this.#cluster.start();
    await this.#cluster.waitUntilKnown(signal);
  }

  /** Starts everything else, the ports last. Called once, after {@link identify}. @throws TunnelError `ERR_TUNNEL_DIAL`; CloudCoreError `ERR_CLOUDCORE_CONFIG` */
  async listen(): Promise<void> {
    const { client, config, registry, log, clock } = this.#options;
    const uploads = await uploadTarget(config.uploads);
    const stamps = new Stamps({ key: this.#identity.stampKey(), life: () => this.#cluster.current, clock });
    const versionsKept = new VersionCache();
    const encoder = new DeltaEncoder({ versions: versionsKept, remembersTargets: false, clock });
    const counters = publisherCounters();
    syncMetrics(registry, { publishers: () => counters, encoder: () => encoder.counters() });
    const pools: PoolParts | undefined = config.pools.enabled
      ? new PoolParts({
          ...{ client, config: config.pools, replica: config.replica, registry, log, clock },
          ...(config.kubelet.clientCaFile !== undefined && { clientCaFile: config.kubelet.clientCaFile }),
          ...{ versions: this.#versions, identity: this.#identity, life: () => this.#cluster.current },
          view: () => cache,
          onRollback: (reason) => this.#rolledBack(reason),
          onReplaced: (content) => versionsKept.remember(content),
        })
      : undefined;
    const cache: ClusterCache = new ClusterCache({
      ...{ client, registry, logger: log, clock, versions: this.#versions },
      ...(pools && { own: pools.pools }),
      stamp: (version) => stamps.issue(version),
      resources: config.resources,
      onReplaced: (content) => versionsKept.remember(content),
      onRollback: (resource, from, to) => {
        // A failure is in the log, and it is tried again.
        this.#rolledBack(`${resource} went from version ${from} to ${to}`).catch(() => {});
      },
    });
    const tolerations = new TolerationsController({
      ...{ client, view: cache, log, registry },
      policy: config.tolerations,
    });
    const devices = new DeviceValidator({ client, source: cache, registry, log, clock });
    const upstream: UpstreamRouter = new UpstreamRouter({
      ...{ client, view: cache, log, registry, clock },
      certificates: {
        peerOf: (node) => server.sessions.get(node)?.peer,
        renew: (peer, csr) => this.#identity.renew(peer, csr),
      },
      poolOf: (node) => this.#identity.poolOf(node),
      kubeletOf: (node) => kubelet?.kubeletOf(node) ?? Promise.resolve(undefined),
      limits: limitsOf(config.writes),
      deviceLimits: limitsOf(config.writes.devices),
      ...(pools && { pools: pools.pools.requests }),
      uploads,
    });
    const leases = new LeaseKeeper({
      ...{ client, registry, log, clock, replica: config.replica },
      nodeUid: (node) => cache.node(node)?.uid,
      onFenced: (node, epoch) => void hub.fence(node, epoch),
    });
    const kubelet = this.#kubelet({
      view: cache,
      session: (node) => server.sessions.get(node),
      confirm: (node, epoch, signal) => leases.confirm(node, epoch, signal),
      announce: (node, session) => upstream.announce(node, session),
    });
    const apiAccess = this.#apiAccess(cache);
    const reports = new ReportRequests({
      ...{ view: cache, log, registry, clock },
      send: (node, kinds) => {
        // A session that ends now is asked again by whoever has the next one.
        server.sessions
          .get(node)
          ?.send({ reportRequest: { kinds: [...kinds] } })
          .catch(() => {});
      },
    });
    const guard = new StampGuard({
      stamps,
      currentVersion: (maxAgeMs, signal) => this.#versions.current(maxAgeMs, signal),
      seenVersion: async (signal) => {
        await cache.waitForSync(signal);
        return cache.highestVersion;
      },
      onRollback: (reason) => this.#rolledBack(reason),
    });
    const hub: EdgeHub = new EdgeHub({
      ...{ cluster: cache, identity: this.#identity, upstream, leases, reports, encoder, counters },
      ...{ registry, log, clock },
      ...(kubelet && { kubelet }),
      ...(pools && { pools: pools.pools }),
      ...(apiAccess && { apiAccess }),
      sessions: () => server.sessions,
      admit: (view, stamp, signal) => guard.admitTo(view, stamp, signal),
      confirmAfterMs: config.massRemovalDelaySeconds * 1000,
    });
    const server: TunnelServer = new TunnelServer({
      welcome: this.#welcome(),
      authorize: () => Promise.resolve(this.#refusal()),
      onTunnel: (tunnel) => {
        const handler = hub.onTunnel(tunnel);
        // Greeted before the cluster had another life, and not among those whose sessions were ended then.
        if (!this.#isPresent(tunnel.info)) void hub.endOne(tunnel, 'the cluster has a new incarnation');
        return handler;
      },
      epochs: leases.epochs,
      limits: this.#limits,
      metrics: new TunnelMetrics(registry),
      ...{ log, clock },
    });
    this.#serving = { server, cache, pools: pools?.pools };
    this.#undo.push(
      () => encoder.stop(),
      () => pools?.stop(),
      () => cache.stop(),
      () => tolerations.stop(),
      () => devices.stop(),
      () => leases.stop(),
      () => reports.stop(),
      () => upstream.stop(),
      () => hub.stop(),
      () => server.stop(),
      // Before sessions end: what is followed is told that it is the hub which stops.
      () => kubelet?.stop(),
      () => apiAccess?.stop(),
      // First of all: nobody is told of a change while all are sent away.
      this.#cluster.onChange((life, before) => {
        this.#versions.forget();
        const isAnother = life.uid !== before.uid || life.incarnation !== before.incarnation;
        if (isAnother) {
          cache.relist();
          pools?.pools.relist();
        }
        const what = isAnother ? 'has a new incarnation' : 'was accepted by an operator in its incarnation';
        void hub.endAll(`the cluster ${what}, ${life.incarnation}`);
      }),
    );
    // They hear of everything only if they listen before the cache begins.
    tolerations.start();
    devices.start();
    await pools?.start();
    cache.start();
    leases.start();
    reports.start();
    upstream.start();
    hub.start();
    apiAccess?.start();
    await kubelet?.start();
    this.#ports = await this.#open(server);
  }

  /**
   * Hands its edges over to other replicas, as the option `drain` says: first it shows as not ready and serves on, then
   * sessions end one by one, and new ones are refused. @throws signal.reason
   */
  async drain(signal: AbortSignal): Promise<void> {
    const { clock, config } = this.#options;
    const { notReadySeconds, sessionsSeconds } = config.drain;
    this.#phase = 'leaving';
    await delay(notReadySeconds * 1000, { clock, signal });
    this.#phase = 'draining';
    const sessions = this.#serving?.server.sessions.all() ?? [];
    if (sessionsSeconds === 0) return; // all at once, by stop
    await drainSessions({ sessions, overMs: sessionsSeconds * 1000, clock, random: systemRandom, signal });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    const last = [() => this.#cluster.stop(), () => this.#identity.stop()];
    for (const undo of [...this.#undo.splice(0).reverse(), ...last]) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'parts of the hub did not stop cleanly');
  }

  /** The way of API servers to the kubelets of edges, unless it is switched off. */
  #kubelet(
    parts: Pick<KubeletAccessOptions, 'view' | 'session' | 'confirm' | 'announce'>,
  ): KubeletAccess | undefined {
    const { client, config, registry, log, clock } = this.#options;
    if (!config.kubelet.enabled) return undefined;
    return new KubeletAccess({
      ...{ client, registry, log, clock, random: systemRandom, ...parts },
      config: config.kubelet,
      host: this.#host(),
      address: kubeletAddress(config),
      credentials: () => this.#identity.credentials(),
    });
  }

  /** The way of programs at edges to the API server, unless it is switched off. */
  #apiAccess(view: ClusterCache): ApiAccess | undefined {
    const { client, server, config, registry, log, clock } = this.#options;
    const { enabled, maxRequests, maxRequestsPerNode, headerSeconds, idleSeconds } = config.apiAccess;
    if (!enabled || server === undefined) return undefined;
    return new ApiAccess({
      ...{ client, server, view, registry, log, clock, maxRequests, maxRequestsPerNode },
      identity: this.#identity,
      headerMs: headerSeconds * 1000,
      idleMs: idleSeconds * 1000,
    });
  }

  #host(): string {
    return bindable(this.#options.config.listen.host);
  }

  async #open(server: TunnelServer): Promise<TunnelPorts> {
    const { websocketPort, quicPort, webTransportPort } = this.#options.config.listen;
    const host = this.#host();
    const transport: TransportOptions = {
      credentials: () => this.#identity.credentials(),
      limits: this.#limits,
      verify: { isRevoked: (peer) => this.#identity.isRevoked(peer) },
    };
    const onRequest: RequestHandler = (request, response) => this.#identity.serve(request, response);
    const ws = await server.listen(new WsTransport(transport), { host, port: websocketPort, onRequest });
    const open = async (kind: Transport, port: number | null): Promise<number | undefined> =>
      port === null ? undefined : (await server.listen(kind, { host, port })).port;
    return {
      websocket: ws.port,
      quic: await open(new QuicTransport(transport), quicPort),
      webTransport: await open(new WebTransportTransport(transport), webTransportPort),
    };
  }

  /** Read anew for each session: the incarnation may change. */
  #welcome(): HubWelcome {
    const { config } = this.#options;
    const life = (): { uid: string; incarnation: string; follows: readonly string[] } =>
      this.#cluster.current ?? { uid: '', incarnation: '', follows: [] };
    return {
      software: `${config.replica} cloudcore/${VERSION}`,
      heartbeatMs: config.heartbeatSeconds * 1000,
      get clusterUid() {
        return life().uid;
      },
      get incarnation() {
        return life().incarnation;
      },
      get follows() {
        return life().follows;
      },
    };
  }

  /** Nobody is let in under a life that the caches are not of yet, nor by a hub that is about to stop. */
  #refusal(): CloseReason | undefined {
    if (this.#phase === 'draining') {
      return { code: 'going-away', message: 'the hub is stopping', retryAfterMs: TOO_EARLY_MS };
    }
    const known = this.#cluster.current !== undefined;
    if (known && this.#serving?.cache.relisting !== true) return undefined;
    return {
      code: 'going-away',
      message: known ? 'this hub lists its cluster anew' : 'this hub does not know its cluster yet',
      retryAfterMs: TOO_EARLY_MS,
    };
  }

  #isPresent({ clusterUid, incarnation }: SessionInfo): boolean {
    const { current } = this.#cluster;
    return current?.uid === clusterUid && current.incarnation === incarnation;
  }

  /** The API server went back to an older state: edges are to hold what they have. */
  async #rolledBack(reason: string): Promise<void> {
    const { log } = this.#options;
    log.error({ reason }, 'the API server went back to an older state; edges hold what they have');
    try {
      await this.#cluster.renew(reason);
    } catch (error) {
      log.error({ err: error }, 'the new incarnation could not be written');
      throw error;
    }
  }
}

function limitsOf(
  rates: Pick<CloudCoreConfig['writes'], 'perNodePerSecond' | 'perNodeBurst' | 'perSecond' | 'burst'>,
): Pick<WriteLimits, 'perNode' | 'overall'> {
  return {
    perNode: { perSecond: rates.perNodePerSecond, burst: rates.perNodeBurst },
    overall: { perSecond: rates.perSecond, burst: rates.burst },
  };
}

/** The names by which edges dial the hub. */
function advertised({ advertise }: CloudCoreConfig): readonly string[] {
  return advertise.length > 0 ? advertise : [hostname()];
}

/** The address by which API servers reach this replica. */
function kubeletAddress(config: CloudCoreConfig): string {
  return config.kubelet.advertise ?? advertised(config)[0] ?? hostname();
}
