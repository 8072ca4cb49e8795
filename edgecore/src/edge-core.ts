import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { silentLogger, systemClock, type Clock, type Logger, type Random } from '@hawser/seams';
import { Registry } from '@hawser/seams/metrics';
import { AdminServer, type AdminActions } from './admin/admin-server.ts';
import type { EdgeStatus } from './admin/admin-types.ts';
import { DeviceRoutes } from './admin/device-routes.ts';
import { PoolRoutes } from './admin/pool-routes.ts';
import { registerEdgeMetrics } from './admin/edge-metrics.ts';
import { listObjects, viewObject } from './admin/object-view.ts';
import { listPods, viewPod } from './admin/pod-view.ts';
import { edgeConfig, type EdgeConfig, type EdgeConfigInput } from './config/options.ts';
import { makeHub, type EdgeHub } from './edge-hub.ts';
import { makeKubelet } from './edge-kubelet.ts';
import { openLocal, type EdgeLocal } from './edge-local.ts';
import { edgeStatus } from './edge-status.ts';
import { EdgeCoreError } from './errors.ts';
import { LazyLocalApi } from './local-api/lazy-local-api.ts';
import { SelfCheck } from './health/self-check.ts';
import { NodeIdentity } from './identity/node-identity.ts';
import { PKI_DIR } from './identity/pki-files.ts';
import { DiskPkiFolder } from './identity/pki-folder.ts';
import { TrustedClock } from './identity/trusted-clock.ts';
import type { Machine } from './node/machine.ts';
import { LazyPool } from './pool/lazy-pool.ts';
import { POOL_NEEDED_KEY } from './pool/pool-needed.ts';
import { StopList } from './stop-list.ts';
import { startStoreWorker } from './store/store-worker-thread.ts';

/** Settings of {@link startEdgeCore}. */
export interface EdgeCoreOptions {
  /** What differs from the defaults. Taken as it is: `loadConfig` is what checks a file. */
  readonly config?: EdgeConfigInput;
  /** Default: the machine that this runs on. */
  readonly machine?: Machine;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  /** The thread of the store, of {@link startStoreWorker}, where it was started before. Default: it is started. */
  readonly storeWorker?: Worker;
}

/** A running edge core. */
export interface EdgeCore {
  /** Name of the node. */
  readonly node: string;
  /** Path of the admin socket. */
  readonly socket: string;
  /** What `hawser status` shows. */
  status(): EdgeStatus;
  /** What does not work in this process, for a watchdog; empty: all does. Never about the cloud. */
  problems(): Promise<readonly string[]>;
  /**
   * Stops: ends the session in good order, leaves pods as they are, makes durable what the cloud has not taken.
   * Idempotent. Finishes every step, then rejects with an AggregateError of what failed.
   */
  stop(): Promise<void>;
}

export { PKI_DIR, startStoreWorker };

/**
 * Starts an edge core, in this order: identity → store → node and pods (all of it from the disk) → admin socket →
 * session with the hub. Resolves once everything but the session is there: a cloud is not waited for.
 *
 * @throws EdgeCoreError `ERR_EDGECORE_IDENTITY_MISSING` (the machine has not joined), those of the identity and of
 *   `EdgeStore.open`, `ERR_EDGECORE_ADMIN`, `ERR_EDGECORE_CONFIG`. What was started is stopped again.
 */
export async function startEdgeCore(options: EdgeCoreOptions = {}): Promise<EdgeCore> {
  const core = new Core(options);
  try {
    await core.start();
  } catch (error) {
    await core.stop().catch(() => {}); // the first error is the one to tell
    throw error;
  }
  return core;
}

interface Running {
  readonly local: EdgeLocal;
  readonly hub: EdgeHub;
  readonly pool: LazyPool;
  readonly localApi: LazyLocalApi;
}

class Core implements EdgeCore, AdminActions {
  readonly #options: EdgeCoreOptions;
  readonly #config: EdgeConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #stop = new StopList();
  readonly #registry = new Registry();
  readonly #startedMs: number;
  #running: Running | undefined;
  #node = '';
  #stopped: Promise<void> | undefined;

  constructor(options: EdgeCoreOptions) {
    this.#options = options;
    this.#config = edgeConfig(options.config);
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#startedMs = this.#clock.monotonicMs();
  }

  get node(): string {
    return this.#node;
  }

  get socket(): string {
    return this.#config.admin.socket;
  }

  async start(): Promise<void> {
    const { storeWorker } = this.#options;
    if (storeWorker !== undefined) {
      this.#stop.add(async () => {
        await storeWorker.terminate(); // ended already, where the store was opened
      });
    }
    const config = this.#config;
    const shared = { config, clock: this.#clock, random: this.#options.random };
    const folder = new DiskPkiFolder(path.join(config.data.dir, PKI_DIR), this.#log);
    const identity = await NodeIdentity.load({ folder, logger: this.#log });
    this.#node = nodeName(identity, config);
    const log = this.#log.child({ node: this.#node });
    const time = await this.#startTime(folder, identity, log);
    const localApi = new LazyLocalApi({
      ...{ node: this.#node, folder, clock: this.#clock, config: config.localApi },
      clusterDomain: config.dns.clusterDomain,
      load: () => this.#present().pool.localApi(),
      log: log.child({ component: 'local-api' }),
    });
    const local = await openLocal(
      {
        ...shared,
        node: this.#node,
        machine: this.#options.machine,
        storeWorker: this.#options.storeWorker,
        registry: this.#registry,
        tokens: () => this.#present().hub.tokens,
        apiForPods: localApi,
        onPods: () => this.#onPods(),
        onLost: () => this.#running?.hub.link?.session.compareAgain(),
        log,
      },
      this.#stop,
    );
    const kubelet = makeKubelet({ ...shared, node: this.#node, local, log });
    const { streams } = kubelet;
    const hub = await makeHub(
      {
        ...{ ...shared, identity, time, local, streams, registry: this.#registry, log },
        onUsable: (usable) => this.#running?.pool.setConnected(usable),
      },
      this.#stop,
    );
    const pool = this.#makePool({ identity, time, local, hub, localApi, log });
    this.#running = { local, hub, pool, localApi };
    // Pods that begin now are told of it.
    this.#stop.add(() => localApi.stop());
    if (config.localApi.port !== 0) await localApi.start();
    await local.start();
    this.#stop.add(() => pool.stop());
    await pool.start();
    this.#onPods();
    registerEdgeMetrics(this.#registry, () => this.status());
    const admin = new AdminServer({
      socket: this.socket,
      actions: this,
      kubelet: kubelet.api,
      devices: new DeviceRoutes(() => local.devices.present),
      pool: new PoolRoutes({
        pool: () => pool,
        localApi: () => (config.localApi.port === 0 ? undefined : localApi),
      }),
      log: log.child({ component: 'admin' }),
    });
    this.#stop.add(() => admin.stop());
    this.#stop.add(() => kubelet.stop());
    await admin.start();
    hub.link?.session.start();
    hub.link?.rotation.start();
    log.info({ hub: config.hub.address, socket: this.socket }, 'edge core ready');
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop.run();
    return this.#stopped;
  }

  async problems(): Promise<readonly string[]> {
    const probes = [{ name: 'pods', check: () => this.#podsProblem() }];
    return await new SelfCheck({ clock: this.#clock, probes }).problems();
  }

  // ── what the admin socket shows and does ─────────────────────────────────────────────────────────────────────

  status(): EdgeStatus {
    const { local, hub, pool, localApi } = this.#present();
    return edgeStatus({
      ...local,
      ...{ pool, localApi },
      node: this.#node,
      dataDir: this.#config.data.dir,
      runtimeVersion: local.runtime.version,
      replica: hub.replica,
      tokens: hub.tokens,
      session: hub.link?.session,
      rotation: hub.link?.rotation,
      accepted: () => hub.accepted.load(),
      held: () => hub.guard.held,
      startedMs: this.#startedMs,
      clock: this.#clock,
    });
  }

  objects(resource: string | undefined): ReturnType<AdminActions['objects']> {
    const { store, scope } = this.#present().local;
    return listObjects(store.replica, [scope], resource);
  }

  async object(key: string): ReturnType<AdminActions['object']> {
    const { store, scope } = this.#present().local;
    return await viewObject(store.replica, [scope], key);
  }

  pods(): ReturnType<AdminActions['pods']> {
    return listPods({ node: this.#node, ...this.#present().local });
  }

  pod(namespace: string, name: string): ReturnType<AdminActions['pod']> {
    return viewPod({ node: this.#node, ...this.#present().local }, namespace, name);
  }

  async acceptCluster(): ReturnType<AdminActions['acceptCluster']> {
    const accepted = await this.#present().hub.link?.session.acceptCluster();
    return accepted === undefined ? {} : { accepted };
  }

  async reconnect(): Promise<void> {
    await this.#present().hub.link?.session.reconnect();
  }

  async metrics(): Promise<string> {
    return await this.#registry.metrics();
  }

  // ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────

  async #startTime(folder: DiskPkiFolder, identity: NodeIdentity, log: Logger): Promise<TrustedClock> {
    const time = new TrustedClock({ folder, clock: this.#clock, logger: log });
    this.#stop.add(() => time.stop());
    await time.start();
    time.atLeast(Date.parse(identity.newest.certificate.validFrom));
    return time;
  }

  #makePool(parts: {
    readonly identity: NodeIdentity;
    readonly time: TrustedClock;
    readonly local: EdgeLocal;
    readonly hub: EdgeHub;
    readonly localApi: LazyLocalApi;
    readonly log: Logger;
  }): LazyPool {
    const { local, hub, log, ...rest } = parts;
    const { store, scope, pods, statuses, reporter, outbox, events } = local;
    const [config, clock] = [this.#config, this.#clock];
    return new LazyPool({
      ...{ scope, clock, log },
      replica: store.replica,
      wanted: () => config.dns.listen !== '' || store.state.get(POOL_NEEDED_KEY) !== undefined,
      load: async () =>
        (await import('./edge-pool.ts')).makeEdgePool({
          ...{ ...rest, node: this.#node, config, store, scope, pods, statuses, reporter, outbox, events },
          ...{ hub: hub.session, requests: hub.requests, registry: this.#registry, clock, log },
          random: this.#options.random,
        }),
    });
  }

  #onPods(): void {
    const running = this.#running;
    if (running === undefined) return;
    const { pods } = running.local;
    running.hub.tokens.update(pods.pods(), pods.allPods() !== undefined);
  }

  #podsProblem(): string | undefined {
    const relistedMs = this.#running?.local.pods.relistedMs;
    const limitMs = 3 * this.#config.pods.relistPeriodMs;
    const sinceMs = relistedMs === undefined ? Infinity : this.#clock.monotonicMs() - relistedMs;
    return sinceMs > limitMs ? `they were last looked at ${Math.round(sinceMs)} ms ago` : undefined;
  }

  #present(): Running {
    if (this.#running === undefined) throw new TypeError('the edge core has not been started');
    return this.#running;
  }
}

/** The name in the certificate; one in the configuration has to be the same. */
function nodeName(identity: NodeIdentity, { node }: EdgeConfig): string {
  if (node.name === '' || node.name === identity.node) return identity.node;
  const message = `node.name is ${node.name}, the certificate of this machine is for ${identity.node}`;
  throw new EdgeCoreError('ERR_EDGECORE_CONFIG', message, { about: node.name });
}
