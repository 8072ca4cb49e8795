import { reflectorMetrics, workqueueMetrics, type ApiClient } from '@hawser/kube';
import type { Clock, Logger, Random } from '@hawser/seams';
import { SOLO_PREFIX, type Content } from '@hawser/sync';
import type { Registry } from 'prom-client';
import type { ClusterView } from '../cache/cluster-view.ts';
import type { OwnObjects } from '../cache/own-objects.ts';
import type { ApiVersionReader } from '../cluster/api-version-reader.ts';
import { ANNOTATIONS } from '../cluster/names.ts';
import type { CloudCoreConfig } from '../config/schema.ts';
import { CloudCoreError } from '../errors.ts';
import { DirectGrants } from './direct-grants.ts';
import { ElectionKeeper, type ElectionCause } from './elections.ts';
import { MemberStates, type MemberSession } from './member-states.ts';
import { membershipKey, Memberships } from './memberships.ts';
import type { PoolAccess, PoolOffer, PoolRefusal, PoolRequest } from './pool-access.ts';
import { PoolAdmission } from './pool-admission.ts';
import { PoolEvents } from './pool-events.ts';
import type { PoolIntake } from './pool-intake.ts';
import { PoolLeases } from './pool-leases.ts';
import { poolMetrics, type PoolMetrics } from './pool-metrics.ts';
import { PoolNodes } from './pool-nodes.ts';
import { PoolRequests } from './pool-requests.ts';
import { PoolScopes } from './pool-scopes.ts';
import { PoolSigner } from './pool-signer.ts';
import { PoolStatusWriter, type PoolFacts } from './pool-status.ts';
import { PoolStreams } from './pool-streams.ts';
import { PoolTable, type NodeStandings } from './pool-table.ts';
import { poolTimes, type PoolTimes } from './pool-times.ts';

/** Settings of {@link Pools}. */
export interface PoolsOptions {
  readonly client: ApiClient;
  readonly config: CloudCoreConfig['pools'];
  /** Id of this replica, other than every other's. */
  readonly replica: string;
  /** The caches of the hub, which are told what nodes get of pools. */
  readonly view: Pick<ClusterView, 'node' | 'onNode'> & {
    readonly highestVersion: string;
    ownChanged(node: string, key: string): void;
    ownSettled(): void;
  };
  readonly versions: Pick<ApiVersionReader, 'current'>;
  readonly identity: NodeStandings & {
    poolStateSeed(): Uint8Array;
    /** Revoked certificates of a node, SHA-256, lower-case hex. */
    formerOf(node: string): readonly string[];
  };
  /** Which cluster and which life of it, as of now. */
  readonly life: () => { readonly uid: string; readonly incarnation: string } | undefined;
  /** PEM of the authorities of client certificates, one each. */
  readonly clientAuthorities: () => readonly string[];
  /** The API server went back to an older state. */
  readonly onRollback: (reason: string) => Promise<void>;
  /** A content was replaced that members may still have. */
  readonly onReplaced: (content: Content) => void;
  readonly registry: Registry;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Time between looks for a resource that the API server does not serve, milliseconds. Default 10000. */
  readonly presenceIntervalMs?: number;
}

/**
 * Pools at the hub: who is in them, who leads, what each of them has a stream of, and what nodes are told of it.
 * docs/pool.md. Made before the caches start, which ask it what nodes get.
 */
export class Pools implements PoolAccess, OwnObjects {
  readonly requests: PoolIntake;
  readonly #options: PoolsOptions;
  readonly #log: Logger;
  readonly #times: PoolTimes;
  readonly #metrics: PoolMetrics;
  readonly #members: MemberStates;
  readonly #table: PoolTable;
  readonly #leases: PoolLeases;
  readonly #elections: ElectionKeeper;
  readonly #memberships: Memberships;
  readonly #scopes: PoolScopes;
  readonly #streams: PoolStreams;
  readonly #grants: DirectGrants;
  readonly #admission: PoolAdmission;
  readonly #nodes: PoolNodes;
  readonly #status: PoolStatusWriter;
  readonly #events: PoolEvents;
  readonly #stopping = new AbortController();
  /** What each node was told of last: `~<node>` or its pool. */
  readonly #told = new Map<string, string>();
  /** Leader and epoch that streams and members were told of last, by pool. */
  readonly #led = new Map<string, string>();

  constructor(options: PoolsOptions) {
    this.#options = options;
    const { client, config, replica, view, identity, registry, clock, random } = options;
    const log = options.log.child({ component: 'pools' });
    this.#log = log;
    this.#times = poolTimes(config.heartbeatSeconds);
    const signer = new PoolSigner({ seed: identity.poolStateSeed(), life: options.life });
    const shared = { client, clock, random, log, reflectorMetrics: reflectorMetrics(registry) };
    const queueMetrics = workqueueMetrics(registry);
    const onOlderList = (resource: string, from: string, to: string): void => {
      // A failure is in the log, and it is tried again.
      options.onRollback(`${resource} went from version ${from} to ${to}`).catch(() => {});
    };
    this.#metrics = poolMetrics(registry, {
      pools: () => this.#table.names().length,
      members: () => this.#table.names().reduce((sum, name) => sum + this.#table.members(name).length, 0),
      led: () => this.#table.names().filter((name) => this.#elections.leadership(name).leader !== '').length,
      grants: () => this.#grants.size,
      streams: () => this.#streams.all(),
      resources: () => this.#scopes.figures(),
    });
    this.#streams = new PoolStreams(this.#metrics);
    this.#members = new MemberStates(clock);
    this.#table = new PoolTable({
      ...{ ...shared, view, standings: identity, onOlderList },
      ...(options.presenceIntervalMs !== undefined && { presenceIntervalMs: options.presenceIntervalMs }),
      listener: {
        pool: (name) => this.#onPool(name, true),
        member: (pool, node) => this.#onMember(pool, node),
        node: (name) => this.#onNode(name),
      },
      onState: () => this.#onDecided(),
    });
    this.#leases = new PoolLeases({
      ...shared,
      onLease: (pool) => this.#onLease(pool),
      onState: () => this.#onDecided(),
    });
    this.#elections = new ElectionKeeper({
      ...{
        table: this.#table,
        leases: this.#leases,
        members: this.#members,
        replica,
        clock,
        log,
        queueMetrics,
      },
      ...{ times: this.#times, metrics: this.#metrics },
      onElected: (pool, leader, cause, before) => this.#onElected(pool, leader, cause, before),
    });
    this.#memberships = new Memberships({
      poolOf: (node) => this.#table.poolOf(node),
      leadership: (pool) => this.#elections.leadership(pool),
      elects: (pool) => this.#table.pool(pool)?.elects !== false,
      endpointOf: (node) => this.#endpointOf(node),
      keys: signer.keys,
      version: () => view.highestVersion,
    });
    this.#scopes = new PoolScopes({
      ...options,
      ...{ log, signer, onOlderList, reflectorMetrics: shared.reflectorMetrics },
      ...{ table: this.#table, leases: this.#leases, ready: () => this.ready },
      leadership: (pool) => this.#elections.leadership(pool),
      endpointOf: (node) => this.#endpointOf(node),
      onResource: (name) => this.#onResource(name),
    });
    this.#grants = new DirectGrants({
      ...{ times: this.#times, clock, random },
      onEnded: (pool, node) => this.#onGrantEnded(pool, node),
    });
    this.#admission = new PoolAdmission({
      poolOf: (node) => this.#table.poolOf(node),
      leadership: (pool) => this.#elections.leadership(pool),
      refresh: (pool) => this.#refresh(pool),
      allowsDirect: (pool, node) => this.#grants.allows(pool, node),
      scopeOf: (pool, resource) => this.#scopes.scopeOf(pool, resource),
      wantSolo: (node, resource) => this.#scopes.wantSolo(node, resource),
      ...{ streams: this.#streams, metrics: this.#metrics, confirmMs: this.#times.confirmMs },
    });
    this.#nodes = new PoolNodes({
      ...{ client, clock, log, queueMetrics, table: this.#table, members: this.#members },
    });
    this.#status = new PoolStatusWriter({
      ...{ client, clock, log, queueMetrics },
      resource: () => this.#table.resource,
      facts: (pool) => this.#factsOf(pool),
      paceMs: this.#times.statusMs,
    });
    this.#events = new PoolEvents({ client, clock, log, pool: (name) => this.#table.pool(name) });
    this.requests = new PoolRequests({
      ...{ table: this.#table, members: this.#members, elections: this.#elections, grants: this.#grants },
      ...{ events: this.#events, metrics: this.#metrics, stopping: this.#stopping.signal },
      isReady: () => this.ready,
      onReport: (pool, node) => {
        this.#onMember(pool, node);
      },
    });
  }

  /** Whether it is known who is in which pool, and who leads: before that no node is told anything. */
  get ready(): boolean {
    return this.#table.decided && this.#leases.decided;
  }

  /** The membership of a node: part of its own scope. */
  of(node: string): Content | undefined {
    return this.#memberships.of(node);
  }

  /** Begins. Before the caches do, so that it hears of every node. */
  start(): void {
    this.#table.start();
    this.#leases.start();
    this.#scopes.start();
    this.#elections.start();
    this.#nodes.start();
    this.#status.start();
  }

  /** The API server has another life: what is known is not believed any more. */
  relist(): void {
    this.#table.relist();
    this.#leases.relist();
    this.#scopes.relist();
  }

  /** The authorities of client certificates are others. */
  clientAuthoritiesChanged(): void {
    this.#scopes.clientAuthoritiesChanged();
  }

  /** Resolves when nothing is open any more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new CloudCoreError('ERR_CLOUDCORE_CLOSED', 'the hub is stopping'));
    this.#grants.stop();
    await Promise.all([
      this.#elections.stop(),
      this.#nodes.stop(),
      this.#status.stop(),
      this.#events.stop(),
      this.#scopes.stop(),
      this.#leases.stop(),
      this.#table.stop(),
    ]);
  }

  opened(node: string, session: MemberSession): () => void {
    const ended = this.#members.opened(node, session);
    this.#lookAtPoolOf(node, 0);
    return () => {
      if (!ended()) return;
      this.#grants.end(node);
      this.#lookAtPoolOf(node, 0);
    };
  }

  offer(node: string, request: PoolRequest): Promise<PoolOffer | PoolRefusal> {
    return this.#admission.offer(node, request);
  }

  #onDecided(): void {
    this.#options.view.ownSettled();
    if (!this.ready) return;
    for (const pool of this.#table.names()) this.#onPool(pool, true);
    this.#scopes.evaluateRosters();
  }

  /** A pool is another one, or has other members. */
  #onPool(name: string, isAnother: boolean): void {
    const pool = this.#table.pool(name);
    this.#scopes.follow(name);
    if (pool === undefined) {
      this.#memberships.forget(name);
      this.#scopes.forget(name);
      this.#status.forget(name);
      this.#led.delete(name);
    }
    this.#fenceResources(name);
    this.#onMember(name, undefined);
    if (isAnother) for (const node of this.#table.labelled(name)) this.#nodes.look(node);
  }

  /** What is known of a member is another. */
  #onMember(pool: string, node: string | undefined): void {
    this.#elections.look(pool);
    this.#onLeadership(pool);
    this.#scopes.evaluateRoster(pool);
    this.#status.look(pool);
    if (node !== undefined) this.#nodes.look(node);
  }

  /** The pool of a node is another one, or it is known now that it has none. */
  #onNode(node: string): void {
    const before = this.#told.get(node);
    const now = this.#memberships.poolOf(node);
    if (before === now) return;
    if (now === undefined) this.#told.delete(node);
    else this.#told.set(node, now);
    this.#memberships.moved(node);
    this.#members.forget(node);
    this.#grants.end(node);
    this.#nodes.look(node);
    if (before !== undefined) {
      const message = `${node} is not in ${before} any more`;
      this.#streams.fence(before, 'member', message, (stream) => stream.node === node);
    }
    for (const pool of [before, now]) {
      if (pool === undefined) continue;
      this.#options.view.ownChanged(node, membershipKey(pool));
      if (!pool.startsWith(SOLO_PREFIX)) this.#onPool(pool, false);
    }
  }

  #onLease(pool: string): void {
    this.#elections.look(pool);
    this.#onLeadership(pool);
  }

  /** Who leads may be another: streams of the former one end before anything of the new one opens. */
  #onLeadership(name: string): void {
    if (!this.ready) return;
    const { leader, epoch } = this.#elections.leadership(name);
    const now = `${epoch} ${leader}`;
    if (this.#led.get(name) !== now) {
      this.#led.set(name, now);
      const message =
        leader === '' ? `nobody leads ${name} now` : `${leader} leads ${name} now, in epoch ${epoch}`;
      this.#streams.fence(
        name,
        'leader',
        message,
        (stream) => stream.mode === 'leader' && !(stream.node === leader && stream.epoch === epoch),
      );
      this.#scopes.evaluateRoster(name);
      this.#status.look(name);
    }
    if (!this.#memberships.evaluate(name)) return;
    for (const node of this.#table.members(name)) this.#options.view.ownChanged(node, membershipKey(name));
  }

  #onElected(pool: string, leader: string, cause: ElectionCause, before: string): void {
    const { epoch } = this.#elections.leadership(pool);
    if (before !== '' && before !== leader)
      this.#events.tell(pool, 'LeaderLost', `${before} does not lead any more: ${CAUSES[cause]}`);
    if (leader !== '') this.#events.tell(pool, 'LeaderElected', `${leader} leads in epoch ${epoch}`);
  }

  #onResource(name: string): void {
    for (const { pool, resource } of [...this.#streams.all()])
      if (resource === name) this.#fenceResources(pool);
  }

  #onGrantEnded(pool: string, node: string): void {
    const message = `the time of ${node} without the leader of ${pool} is over`;
    this.#streams.fence(pool, 'grant', message, (stream) => stream.mode === 'direct' && stream.node === node);
  }

  #fenceResources(pool: string): void {
    this.#streams.fence(
      pool,
      'resource',
      `${pool} does not share this any more`,
      ({ resource }) => !this.#scopes.isShared(pool, resource),
    );
  }

  #lookAtPoolOf(node: string, afterMs: number): void {
    const pool = this.#table.poolOf(node);
    if (pool === undefined || pool === '') return;
    this.#elections.look(pool, afterMs);
    this.#status.look(pool);
  }

  /**
   * As it has said here; else as its Node has it, from another replica or from before. One that stops comes back at the
   * same place, mostly: the pool need not be told twice.
   */
  #endpointOf(node: string): string {
    const report = this.#members.report(node);
    if (report !== undefined && report.resign !== true) return report.endpoint;
    return this.#table.facts(node)?.annotations[ANNOTATIONS.poolEndpoint] ?? '';
  }

  async #refresh(pool: string): Promise<void> {
    try {
      await this.#leases.refresh(pool, this.#stopping.signal);
    } catch (err) {
      // Then what is known decides.
      this.#log.debug({ pool, err }, 'the Lease of a pool was not read');
    }
  }

  #factsOf(name: string): PoolFacts | undefined {
    const pool = this.#table.pool(name);
    if (pool?.shares !== true || !this.ready) return undefined;
    const leadership = this.#elections.leadership(name);
    const { leader, replica } = leadership;
    // Who has the leader's session knows most about it.
    if (leader !== '' && replica !== this.#options.replica) return undefined;
    return {
      ...{ pool, leadership, endpoint: leader === '' ? '' : this.#endpointOf(leader) },
      nodes: this.#table.members(name).map((node) => ({
        name: node,
        isReady: this.#table.facts(node)?.ready === 'True',
      })),
      isComplete: this.#members.report(leader)?.complete,
    };
  }
}

/** What Events say about each cause. */
const CAUSES: Readonly<Record<ElectionCause, string>> = {
  first: 'there was none',
  expired: 'its session has ended',
  left: 'it is no member any more',
  resigned: 'it has given it up',
  unfit: 'it may not lead as it is',
  claimed: 'it is silent, and another one has asked',
  'epoch-reported': 'members have seen a higher epoch',
};
