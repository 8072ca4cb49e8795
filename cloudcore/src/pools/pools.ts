import { reflectorMetrics, RESOURCES, workqueueMetrics, type ApiClient } from '@hawser/kube';
import type { Clock, Logger, Random } from '@hawser/seams';
import {
  POOL_RESOURCES,
  poolResourceName,
  SOLO_PREFIX,
  stateSubject,
  type Content,
  type PoolMemberEntry,
  type PoolResource,
} from '@hawser/sync';
import type { Registry } from 'prom-client';
import type { ClusterView } from '../cache/cluster-view.ts';
import type { OwnObjects } from '../cache/own-objects.ts';
import type { ApiVersionReader } from '../cluster/api-version-reader.ts';
import { ANNOTATIONS } from '../cluster/names.ts';
import type { CloudCoreConfig } from '../config/schema.ts';
import { CloudCoreError } from '../errors.ts';
import { ClusterAuthentication } from './cluster-authentication.ts';
import { DirectGrants } from './direct-grants.ts';
import { ElectionKeeper, type ElectionCause } from './elections.ts';
import { MadeScope } from './made-scope.ts';
import { MemberStates, type MemberSession } from './member-states.ts';
import { membershipKey, Memberships } from './memberships.ts';
import type { NamedResource } from './node-pool.ts';
import { mayLead } from './node-pool.ts';
import type { PoolAccess, PoolOffer, PoolRefusal, PoolRequest } from './pool-access.ts';
import { PoolAdmission } from './pool-admission.ts';
import { PoolEvents } from './pool-events.ts';
import type { PoolIntake } from './pool-intake.ts';
import { PoolLeases } from './pool-leases.ts';
import { poolMetrics, type PoolMetrics } from './pool-metrics.ts';
import { PoolRequests } from './pool-requests.ts';
import { laterVersion, type PoolScope } from './pool-scope.ts';
import { PoolSigner } from './pool-signer.ts';
import { PoolStatusWriter, type PoolFacts } from './pool-status.ts';
import { PoolStreams } from './pool-streams.ts';
import { PoolTable, type NodeStandings } from './pool-table.ts';
import { poolTimes, type PoolTimes } from './pool-times.ts';
import { ResourceScopes } from './resource-scopes.ts';
import { Rosters } from './rosters.ts';

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
  /** Time between looks for a resource that the API server does not serve, milliseconds. Default 30000. */
  readonly presenceIntervalMs?: number;
}

const RBAC = 'rbac.authorization.k8s.io';
/** What every pool shares, for whoever asks for something there: who may. */
const SYSTEM: readonly NamedResource[] = ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map(
  (resource) => ({ group: RBAC, version: 'v1', resource }),
);
const AUTHENTICATION: PoolResource = {
  ...{ group: 'hawser.dev', version: 'v1', resource: 'clusterauthentications' },
  ...{ kind: 'ClusterAuthentication', namespaced: false },
};
/** Whoever may write a NodePool may not thereby read Secrets. */
const NEVER_SHARED: ReadonlySet<string> = new Set([poolResourceName(RESOURCES.secrets)]);
const ZONE_LABEL = 'topology.kubernetes.io/zone';

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
  readonly #resources: ResourceScopes;
  readonly #rosters: Rosters;
  readonly #authentication: ClusterAuthentication;
  readonly #authenticationScope: MadeScope;
  readonly #streams: PoolStreams;
  readonly #grants: DirectGrants;
  readonly #admission: PoolAdmission;
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
    const scope = { signer, clock, log, onRollback: options.onRollback };
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
      resources: () => this.#figures(),
    });
    this.#streams = new PoolStreams(this.#metrics);
    this.#members = new MemberStates(clock);
    this.#table = new PoolTable({
      ...{ ...shared, view, standings: identity, onOlderList },
      ...(options.presenceIntervalMs !== undefined && { presenceIntervalMs: options.presenceIntervalMs }),
      listener: { pool: (name) => this.#onPool(name), node: (name) => this.#onNode(name) },
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
      endpointOf: (node) => this.#endpointOf(node),
      keys: signer.keys,
      version: () => view.highestVersion,
    });
    this.#resources = new ResourceScopes({
      ...{ ...shared, ...scope, onOlderList },
      ...(options.presenceIntervalMs !== undefined && { presenceIntervalMs: options.presenceIntervalMs }),
      onChange: (name) => this.#onResource(name),
      events: {
        unreadable: (key, err) =>
          log.warn({ key, err }, 'an object cannot be brought into normal form; its last form stays'),
        replaced: (content) => options.onReplaced(content),
      },
    });
    const made = {
      ...{ ...scope, versions: options.versions },
      seenVersion: () => this.#seenVersion(),
    };
    this.#rosters = new Rosters(
      {
        decided: (pool) => this.#isDecided(pool),
        leadership: (pool) => this.#elections.leadership(pool),
        members: (pool) => this.#entries(pool),
        resources: (pool) => this.#sharedBy(pool),
        revoked: (pool) => this.#table.members(pool).flatMap((node) => identity.formerOf(node)),
        heartbeatSeconds: config.heartbeatSeconds,
      },
      {
        ...made,
        agrees: async (signal) => (await this.#table.agrees(signal)) && (await this.#leases.agrees(signal)),
      },
    );
    this.#authentication = new ClusterAuthentication({
      ...{ client, clock, log, clientAuthorities: options.clientAuthorities },
      onChange: (object) => {
        this.#authenticationScope.set(object);
        this.#rosters.evaluateAll();
      },
      onFailed: () => this.#rosters.evaluateAll(),
    });
    this.#authenticationScope = new MadeScope(
      POOL_RESOURCES.authentication,
      stateSubject('', POOL_RESOURCES.authentication),
      { ...made, agrees: () => this.#authentication.refresh() },
    );
    this.#grants = new DirectGrants({
      ...{ times: this.#times, clock, random },
      onEnded: (pool, node) => this.#onGrantEnded(pool, node),
    });
    this.#admission = new PoolAdmission({
      poolOf: (node) => this.#table.poolOf(node),
      leadership: (pool) => this.#elections.leadership(pool),
      refresh: (pool) => this.#refresh(pool),
      allowsDirect: (pool, node) => this.#grants.allows(pool, node),
      scopeOf: (pool, resource) => this.#scopeOf(pool, resource),
      wantSolo: (node, resource) => this.#wantSolo(node, resource),
      ...{ streams: this.#streams, metrics: this.#metrics, confirmMs: this.#times.confirmMs },
    });
    this.#status = new PoolStatusWriter({
      ...{ client, clock, log, queueMetrics },
      resource: () => this.#table.resource,
      facts: (pool) => this.#factsOf(pool),
    });
    this.#events = new PoolEvents({ client, clock, log, pool: (name) => this.#table.pool(name) });
    this.requests = new PoolRequests({
      ...{ table: this.#table, members: this.#members, elections: this.#elections, grants: this.#grants },
      ...{ events: this.#events, metrics: this.#metrics, stopping: this.#stopping.signal },
      onReport: (pool) => this.#onPool(pool),
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
    this.#resources.start();
    this.#elections.start();
    this.#status.start();
    this.#authentication.start();
  }

  /** The API server has another life: what is known is not believed any more. */
  relist(): void {
    this.#table.relist();
    this.#leases.relist();
    this.#resources.relist();
    this.#rosters.distrust();
    this.#authenticationScope.distrust();
    this.#authentication.start();
  }

  /** The authorities of client certificates are others. */
  clientAuthoritiesChanged(): void {
    this.#authentication.tell();
  }

  /** Resolves when nothing is open any more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new CloudCoreError('ERR_CLOUDCORE_CLOSED', 'the hub is stopping'));
    this.#grants.stop();
    await Promise.all([
      this.#elections.stop(),
      this.#status.stop(),
      this.#events.stop(),
      this.#authentication.stop(),
      this.#resources.stop(),
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
    for (const pool of this.#table.names()) this.#onPool(pool);
    this.#rosters.evaluateAll();
  }

  #onPool(name: string): void {
    const pool = this.#table.pool(name);
    const members = this.#table.members(name);
    const wanted = members.length === 0 ? [] : this.#wantedBy(name);
    this.#resources.want(name, wanted);
    if (pool === undefined) {
      this.#memberships.forget(name);
      this.#rosters.forget(name);
      this.#status.forget(name);
      this.#led.delete(name);
    }
    this.#fenceResources(name);
    this.#elections.look(name);
    this.#onLeadership(name);
    this.#rosters.evaluate(name);
    this.#status.look(name);
  }

  /** The pool of a node is another one, or it is known now that it has none. */
  #onNode(node: string): void {
    const before = this.#told.get(node);
    const now = this.#memberships.poolOf(node);
    if (before === now) return;
    if (now === undefined) this.#told.delete(node);
    else this.#told.set(node, now);
    this.#members.forget(node);
    this.#grants.end(node);
    for (const pool of [before, now])
      if (pool !== undefined) this.#options.view.ownChanged(node, membershipKey(pool));
    if (before === undefined) return;
    const message = `${node} is not in ${before} any more`;
    this.#streams.fence(before, 'member', message, (stream) => stream.node === node);
  }

  #onLease(pool: string): void {
    this.#elections.look(pool);
    this.#onLeadership(pool);
  }

  /** Who leads may be another: streams of the former one end before anything of the new one opens. */
  #onLeadership(name: string): void {
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
      this.#rosters.evaluate(name);
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
    for (const pool of this.#table.names())
      if (this.#wantedBy(pool).some((resource) => poolResourceName(resource) === name))
        this.#fenceResources(pool);
    this.#rosters.evaluateAll();
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
      ({ resource }) => !this.#shares(pool, resource) || this.#resources.state(resource) === 'absent',
    );
  }

  #lookAtPoolOf(node: string, afterMs: number): void {
    const pool = this.#table.poolOf(node);
    if (pool === undefined || pool === '') return;
    this.#elections.look(pool, afterMs);
    this.#status.look(pool);
  }

  /** What a pool is to share, but for what the hub makes up. */
  #wantedBy(pool: string): readonly NamedResource[] {
    const named = this.#table.pool(pool)?.resources ?? [];
    const wanted = named.length > 0 ? named : this.#options.config.resources;
    const allowed = wanted.filter((resource) => !NEVER_SHARED.has(poolResourceName(resource)));
    return [...allowed, ...SYSTEM];
  }

  #shares(pool: string, resource: string): boolean {
    if (resource === POOL_RESOURCES.roster || resource === POOL_RESOURCES.authentication) return true;
    return this.#wantedBy(pool).some((wanted) => poolResourceName(wanted) === resource);
  }

  /** What a pool shares now: what is served, and is here. */
  #sharedBy(pool: string): readonly PoolResource[] {
    const found = this.#wantedBy(pool).flatMap(
      (wanted) => this.#resources.resource(poolResourceName(wanted)) ?? [],
    );
    return this.#authentication.isKnown ? [...found, AUTHENTICATION] : found;
  }

  /** Whether a roster may be told: nothing in it will be missing that is only late. */
  #isDecided(pool: string): boolean {
    if (!this.ready || !this.#authentication.decided) return false;
    const isHere = this.#rosters.scopeOf(pool).ready;
    return (
      isHere ||
      this.#wantedBy(pool).every((wanted) => this.#resources.state(poolResourceName(wanted)) !== 'looking')
    );
  }

  #entries(pool: string): readonly PoolMemberEntry[] {
    const known = this.#table.pool(pool);
    return this.#table.members(pool).map((name) => {
      const labels = this.#table.facts(name)?.labels ?? {};
      return {
        ...{ name, endpoint: this.#endpointOf(name), zone: labels[ZONE_LABEL] ?? '' },
        eligible: known?.elects === true && mayLead(known, labels),
      };
    });
  }

  /** As it has said here, or as its Node has it from another replica. */
  #endpointOf(node: string): string {
    const report = this.#members.report(node);
    return report?.endpoint ?? this.#table.facts(node)?.annotations[ANNOTATIONS.poolEndpoint] ?? '';
  }

  #scopeOf(pool: string, resource: string): PoolScope | undefined {
    if (!this.#shares(pool, resource)) return undefined;
    if (resource === POOL_RESOURCES.roster) return this.#rosters.scopeOf(pool);
    if (resource === POOL_RESOURCES.authentication) return this.#authenticationScope;
    if (pool.startsWith(SOLO_PREFIX)) this.#resources.borrow(this.#named(resource));
    return this.#resources.scope(resource);
  }

  #named(resource: string): readonly NamedResource[] {
    return this.#wantedBy('').filter((wanted) => poolResourceName(wanted) === resource);
  }

  /** A node without a pool has no one else to say what is shared: its roster says it, while it asks. */
  #wantSolo(node: string, resource: string): () => void {
    const pool = SOLO_PREFIX + node;
    const holder = `${pool}/${resource}`;
    const isRoster = resource === POOL_RESOURCES.roster;
    this.#resources.want(holder, isRoster ? this.#wantedBy('') : this.#named(resource));
    return () => {
      this.#resources.want(holder, []);
      if (isRoster) this.#rosters.forget(pool);
    };
  }

  async #refresh(pool: string): Promise<void> {
    try {
      await this.#leases.refresh(pool, this.#stopping.signal);
    } catch (err) {
      // Then what is known decides.
      this.#log.debug({ pool, err }, 'the Lease of a pool was not read');
    }
  }

  #seenVersion(): string {
    const { highestVersion } = this.#options.view;
    return [this.#table.lastVersion, this.#leases.lastVersion].reduce(laterVersion, highestVersion);
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

  #figures(): Iterable<{ resource: string; objects: number; bytes: number }> {
    return this.#resources.names().map((resource) => {
      const scope = this.#resources.scope(resource);
      return { resource, objects: scope?.objects ?? 0, bytes: scope?.bytes ?? 0 };
    });
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
