import {
  Controller,
  FailureLimiter,
  reflectorMetrics,
  workqueueMetrics,
  type ApiClient,
  type KubeObject,
} from '@hawser/kube';
import { silentLogger, systemClock, systemRandom, type Clock, type Logger, type Random } from '@hawser/seams';
import { formatKey, type Content, type ContentKey, type ScopeView } from '@hawser/sync';
import type { Registry } from 'prom-client';
import type { ApiVersionReader } from '../cluster/api-version-reader.ts';
import { CloudCoreError } from '../errors.ts';
import { DEVICES, type DeviceListener } from './bound-devices.ts';
import { cacheMetrics, type CacheMetrics } from './cache-metrics.ts';
import { CacheTables } from './cache-tables.ts';
import { catchUp } from './catch-up.ts';
import { ChangeNotifier } from './change-notifier.ts';
import type { ClusterView, DeviceFacts, NodeFacts, PodFacts } from './cluster-view.ts';
import { FeedSequence } from './feed-sequence.ts';
import { Gate } from './gate.ts';
import type { NodeScope } from './node-scope.ts';
import { resourceName } from './object-key.ts';
import { NO_OWN_OBJECTS, type OwnObjects } from './own-objects.ts';
import type { SharedResource } from './shared-objects.ts';

/** Settings of {@link ClusterCache}. */
export interface ClusterCacheOptions {
  readonly client: ApiClient;
  /** For `ScopeView.catchUp`. Not closed by the cache. */
  readonly versions: ApiVersionReader;
  /** Makes the stamp of a scope from the highest resourceVersion seen. Default: stamps are empty. */
  readonly stamp?: (version: string) => Uint8Array;
  /** Further resources that edge nodes get. Default: none. */
  readonly resources?: readonly SharedResource[];
  /** Objects of the hub's own. Default: none. */
  readonly own?: OwnObjects;
  /** A content was replaced that edges may still have: what deltas are made against. Default: nobody keeps it. */
  readonly onReplaced?: (content: Content) => void;
  /**
   * A list showed an older state than was seen before: the API server has lost what came after `from`. Called once for
   * all that show it until {@link ClusterCache.relist}, which has to follow: the cache is not ready until then, and
   * shows what it had. Default: it lists anew by itself.
   */
  readonly onRollback?: (resource: string, from: string, to: string) => void;
  /** Objects in a page of a list, where the server does not stream lists. Default 500. */
  readonly pageSize?: number;
  /** Objects that are asked for one by one, at a time. Default 16. */
  readonly fetches?: number;
  /** Time between looks for a resource that the API server does not serve, milliseconds. Default 30000. */
  readonly presenceIntervalMs?: number;
  /** Where `hawser_cache_*`, `hawser_reflector_*` and `workqueue_*` go. Default: nowhere. */
  readonly registry?: Registry;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

const FETCH_RETRY = { baseMs: 100, capMs: 30_000 };
const DEVICE_KEY = resourceName(DEVICES);
const NO_STAMP = new Uint8Array(0);

/**
 * What the hub knows of the cluster: one watch for each resource, contents only of what some edge node needs, each
 * kept once as bytes; see {@link CacheTables} for what that is.
 *
 * A node's scope is ready when every resource has been listed, and nothing of its own is still being asked for. It
 * may cease to be for a moment, when a pod comes that names something new.
 */
export class ClusterCache implements ClusterView {
  readonly #options: ClusterCacheOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #tables: CacheTables;
  readonly #feeds: FeedSequence;
  readonly #fetcher: Controller;
  readonly #notifier = new ChangeNotifier();
  readonly #metrics: CacheMetrics | undefined;
  readonly #podListeners = new Set<(namespace: string, name: string) => void>();
  readonly #nodeListeners = new Set<(name: string) => void>();
  readonly #deviceListeners = new Set<DeviceListener>();
  readonly #synced = new Gate();
  /** Whether {@link ClusterCacheOptions.onRollback} was called since the last list of everything. */
  #rolledBack = false;

  /** @throws CloudCoreError `ERR_CLOUDCORE_RESOURCE`; StatusError BadRequest for a selector that cannot be read */
  constructor(options: ClusterCacheOptions) {
    const { client, registry, clock = systemClock, logger = silentLogger } = options;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger.child({ component: 'cache' });
    this.#tables = this.#createTables();
    this.#feeds = new FeedSequence({
      ...{ client, clock, logger: this.#logger },
      presenceIntervalMs: options.presenceIntervalMs ?? 30_000,
      stages: this.#tables.stages({
        ...{ client, clock, logger: this.#logger, random: options.random ?? systemRandom },
        ...(registry && { metrics: reflectorMetrics(registry) }),
        ...(options.pageSize !== undefined && { pageSize: options.pageSize }),
        onRollback: (resource, from, to) => this.#onRollback(resource, from, to),
        onTrouble: () => options.versions.forget(),
      }),
      onSynced: () => this.#onSynced(),
    });
    this.#fetcher = new Controller({
      name: 'cache-fetch',
      reconcile: (what, signal) => this.#fetch(what, signal),
      workers: options.fetches ?? 16,
      rateLimiter: new FailureLimiter(FETCH_RETRY),
      ...(registry && { metrics: workqueueMetrics(registry) }),
      clock,
    });
    this.#metrics = registry && this.#registerMetrics(registry);
  }

  get ready(): boolean {
    return this.#feeds.synced;
  }

  /** Whether what it had is of a life of the cluster that is over, and not all was listed since. */
  get relisting(): boolean {
    return this.#feeds.relisting;
  }

  /** The highest resourceVersion that was seen; `''` before the first list. */
  get highestVersion(): string {
    return this.#feeds.highestVersion;
  }

  /** Begins; without effect when begun or stopped. */
  start(): void {
    this.#fetcher.start();
    this.#feeds.start();
  }

  /** The hub's own object with this key is another one for the node, has come or gone. */
  ownChanged(node: string, key: ContentKey): void {
    this.#tables.edges.get(node)?.touched(key);
  }

  /** {@link OwnObjects.ready} has become true, or is not any more. */
  ownSettled(): void {
    for (const scope of this.#tables.edges.scopes()) scope.settling();
  }

  /**
   * Resolves once {@link ready}.
   * Errors: `signal.reason`; `ERR_CLOUDCORE_CLOSED` when stopped before.
   */
  waitForSync(signal?: AbortSignal): Promise<void> {
    return this.#synced.wait(signal);
  }

  /**
   * The cluster has another life: what is kept is not believed any more, and everything is listed anew. Not
   * {@link ready} until that is done; meanwhile scopes show what they had, and nobody is to be told of it. That a list
   * shows an older state is no news then. Without effect before the start.
   */
  relist(): void {
    this.#rolledBack = false;
    this.#feeds.relist();
    this.#unsynced();
  }

  /** Ends every watch and fetch; resolves when nothing is open any more. What is kept stays readable. Idempotent. */
  async stop(): Promise<void> {
    const closed = new CloudCoreError('ERR_CLOUDCORE_CLOSED', 'the cache was stopped');
    this.#synced.fail(closed);
    this.#tables.close(closed);
    await this.#feeds.stop(closed);
    await this.#fetcher.stop();
  }

  nodeView(node: string): ScopeView {
    const scope = this.#tables.edges.ensure(node);
    scope.handedOut = true;
    return scope;
  }

  claim(node: string): () => void {
    return this.#tables.edges.claim(node);
  }

  pod(namespace: string, name: string): PodFacts | undefined {
    return this.#tables.pods.facts(formatKey('pods', namespace, name));
  }

  recentPod(namespace: string, name: string): KubeObject | undefined {
    return this.#tables.pods.recent.get(formatKey('pods', namespace, name));
  }

  podAs(node: string, namespace: string, serviceAccountName: string): ReturnType<ClusterView['podAs']> {
    return this.#tables.pods.runningAs(node, namespace, serviceAccountName);
  }

  node(name: string): NodeFacts | undefined {
    return this.#tables.edges.facts(name);
  }

  device(namespace: string, name: string): DeviceFacts | undefined {
    return this.#tables.devices.facts(formatKey(DEVICE_KEY, namespace, name));
  }

  /** The listener hears of every pod that is there before this returns. */
  onPod(listener: (namespace: string, name: string) => void): () => void {
    const own = (namespace: string, name: string): void => listener(namespace, name);
    for (const [namespace, name] of [...this.#tables.pods.names()]) this.#guarded(() => own(namespace, name));
    this.#podListeners.add(own);
    return () => void this.#podListeners.delete(own);
  }

  /** The listener hears of every node that is there before this returns. */
  onNode(listener: (name: string) => void): () => void {
    const own = (name: string): void => listener(name);
    for (const name of [...this.#tables.edges.names()]) this.#guarded(() => own(name));
    this.#nodeListeners.add(own);
    return () => void this.#nodeListeners.delete(own);
  }

  /** The listener hears of every device that passes by from now on: all, where the cache starts later. */
  onDevice(listener: DeviceListener): () => void {
    this.#deviceListeners.add(listener);
    return () => void this.#deviceListeners.delete(listener);
  }

  #createTables(): CacheTables {
    const feeds = (): FeedSequence => this.#feeds;
    return new CacheTables({
      ...{ client: this.#options.client, clock: this.#clock, resources: this.#options.resources ?? [] },
      own: this.#options.own ?? NO_OWN_OBJECTS,
      host: {
        get synced() {
          return feeds().synced;
        },
        stamp: () => this.#options.stamp?.(this.highestVersion) ?? NO_STAMP,
        catchUp: (scope, signal) => this.#catchUp(scope, signal),
        schedule: (scope) => this.#notifier.schedule(scope),
        listenerFailed: ({ scope }, err) => this.#logger.error({ scope, err }, 'a listener failed'),
      },
      events: {
        unreadable: (key, err) => {
          this.#metrics?.unreadable.inc({ resource: key.split('/')[0] ?? '' });
          this.#logger.warn(
            { key, err },
            'an object cannot be brought into normal form; its last form stays',
          );
        },
        replaced: (content) => this.#options.onReplaced?.(content),
      },
      enqueue: (what) => this.#fetcher.enqueue(what),
      onPod: (namespace, name) => {
        for (const listener of [...this.#podListeners]) this.#guarded(() => listener(namespace, name));
      },
      onNode: (name) => {
        for (const listener of [...this.#nodeListeners]) this.#guarded(() => listener(name));
      },
      onDevice: {
        seen: (device) => this.#tellOfDevices((listener) => listener.seen(device)),
        gone: (key) => this.#tellOfDevices((listener) => listener.gone(key)),
        listed: (keys) => this.#tellOfDevices((listener) => listener.listed(keys)),
      },
    });
  }

  #tellOfDevices(tell: (listener: DeviceListener) => void): void {
    for (const listener of this.#deviceListeners) this.#guarded(() => tell(listener));
  }

  #guarded(call: () => void): void {
    try {
      call();
    } catch (err) {
      this.#logger.error({ err }, 'a listener failed');
    }
  }

  #onSynced(): void {
    this.#logger.info({ nodes: this.#tables.edges.size }, 'the cluster was listed');
    for (const scope of this.#tables.edges.scopes()) scope.settling();
    this.#synced.open();
  }

  #unsynced(): void {
    if (this.#feeds.synced) return;
    this.#synced.close();
    // Those who have seen it ready are to hear when it is so again.
    for (const scope of this.#tables.edges.scopes()) scope.settling();
  }

  #onRollback(resource: string, from: string, to: string): void {
    this.#feeds.suspend();
    this.#unsynced();
    if (this.#rolledBack) return;
    this.#rolledBack = true;
    this.#logger.error({ resource, from, to }, 'the API server went back to an older state');
    const { onRollback = () => this.relist() } = this.#options;
    onRollback(resource, from, to);
  }

  async #fetch(what: string, signal: AbortSignal): Promise<void> {
    const resource = this.#tables.fetched(what);
    try {
      await this.#tables.fetch(what, signal);
      this.#metrics?.fetches.inc({ resource, outcome: 'ok' });
    } catch (err) {
      signal.throwIfAborted();
      this.#metrics?.fetches.inc({ resource, outcome: 'error' });
      this.#logger.warn({ what, err }, 'what a node needs could not be fetched; trying again');
      throw err;
    }
  }

  #catchUp(scope: NodeScope, signal: AbortSignal): Promise<void> {
    const { versions } = this.#options;
    return catchUp(
      scope,
      {
        currentVersion: (waiting) => versions.current(0, waiting),
        behind: (version) => this.#feeds.behind(version).map(({ feed }) => this.#tables.compared(feed.name)),
        clock: this.#clock,
      },
      signal,
    );
  }

  #registerMetrics(registry: Registry): CacheMetrics {
    const { edges } = this.#tables;
    return cacheMetrics(registry, {
      resources: () =>
        this.#feeds.members().map(({ feed, kept }) => ({
          resource: feed.name,
          objects: kept.objects,
          bytes: kept.bytes,
          silenceSeconds: feed.silenceMs === undefined ? undefined : feed.silenceMs / 1000,
        })),
      nodes: () => edges.size,
      views: () => [...edges.scopes()].filter(({ listeners }) => listeners > 0).length,
      fetchesPending: () => {
        const { depth, delayed, processing } = this.#fetcher.queue;
        return depth + delayed + processing;
      },
    });
  }
}
