import { RESOURCES, type ApiClient, type ReflectorMetrics } from '@hawser/kube';
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
import type { ApiVersionReader } from '../cluster/api-version-reader.ts';
import type { CloudCoreConfig } from '../config/schema.ts';
import { ClusterAuthentication } from './cluster-authentication.ts';
import { MadeScope } from './made-scope.ts';
import { mayLead, type NamedResource } from './node-pool.ts';
import type { Leadership } from './pool-lease.ts';
import type { PoolLeases } from './pool-leases.ts';
import { laterVersion, type PoolScope } from './pool-scope.ts';
import type { PoolSigner } from './pool-signer.ts';
import type { PoolTable } from './pool-table.ts';
import { ResourceScopes } from './resource-scopes.ts';
import { Rosters } from './rosters.ts';

/** Settings of {@link PoolScopes}. */
export interface PoolScopesOptions {
  readonly client: ApiClient;
  readonly config: CloudCoreConfig['pools'];
  readonly view: { readonly highestVersion: string };
  readonly versions: Pick<ApiVersionReader, 'current'>;
  /** Revoked certificates of a node, SHA-256, lower-case hex. */
  readonly identity: { formerOf(node: string): readonly string[] };
  /** PEM of the authorities of client certificates, one each. */
  readonly clientAuthorities: () => readonly string[];
  readonly signer: PoolSigner;
  readonly table: PoolTable;
  readonly leases: PoolLeases;
  /** Whether it is known who is in which pool, and who leads. */
  readonly ready: () => boolean;
  readonly leadership: (pool: string) => Leadership;
  readonly endpointOf: (node: string) => string;
  /** A resource has come, gone, or may not be read. */
  readonly onResource: (name: string) => void;
  readonly onRollback: (reason: string) => Promise<void>;
  readonly onOlderList: (resource: string, from: string, to: string) => void;
  readonly onReplaced: (content: Content) => void;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly reflectorMetrics?: ReflectorMetrics;
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

/** What pools share: resources of the API server, and what the hub makes up for them, each a scope. */
export class PoolScopes {
  readonly #options: PoolScopesOptions;
  readonly #resources: ResourceScopes;
  readonly #rosters: Rosters;
  readonly #authentication: ClusterAuthentication;
  readonly #authenticationScope: MadeScope;

  constructor(options: PoolScopesOptions) {
    this.#options = options;
    const { client, clock, random, log, signer, onRollback, table, leases } = options;
    const scope = { signer, clock, log, onRollback };
    this.#resources = new ResourceScopes({
      ...{ ...scope, client, random, onOlderList: options.onOlderList },
      ...(options.reflectorMetrics && { reflectorMetrics: options.reflectorMetrics }),
      ...(options.presenceIntervalMs !== undefined && { presenceIntervalMs: options.presenceIntervalMs }),
      onChange: (name) => {
        options.onResource(name);
        this.#rosters.evaluateAll();
      },
      events: {
        unreadable: (key, err) =>
          log.warn({ key, err }, 'an object cannot be brought into normal form; its last form stays'),
        replaced: (content) => options.onReplaced(content),
      },
    });
    const made = { ...scope, versions: options.versions, seenVersion: () => this.#seenVersion() };
    this.#rosters = new Rosters(
      {
        decided: (pool, isTold) => this.#isDecided(pool, isTold),
        leadership: (pool) => options.leadership(pool),
        members: (pool) => this.#entries(pool),
        resources: (pool) => this.#sharedBy(pool),
        revoked: (pool) => table.members(pool).flatMap((node) => options.identity.formerOf(node)),
        heartbeatSeconds: options.config.heartbeatSeconds,
      },
      { ...made, agrees: async (signal) => (await table.agrees(signal)) && (await leases.agrees(signal)) },
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
  }

  /** What is followed, for metrics. */
  figures(): Iterable<{ resource: string; objects: number; bytes: number }> {
    return this.#resources.names().map((resource) => {
      const scope = this.#resources.scope(resource);
      return { resource, objects: scope?.objects ?? 0, bytes: scope?.bytes ?? 0 };
    });
  }

  /** Begins. */
  start(): void {
    this.#resources.start();
    this.#authentication.start();
  }

  /** The API server has another life: what is known is not believed any more. */
  relist(): void {
    this.#resources.relist();
    this.#rosters.distrust();
    this.#authenticationScope.distrust();
    this.#authentication.start();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([this.#authentication.stop(), this.#resources.stop()]);
  }

  /** The authorities of client certificates are others. */
  clientAuthoritiesChanged(): void {
    this.#authentication.tell();
  }

  /** A pool has changed, or has other members: resources are followed while it has any. */
  follow(pool: string): void {
    const hasMembers = this.#options.table.members(pool).length > 0;
    this.#resources.want(pool, hasMembers ? this.#wantedBy(pool) : []);
  }

  /** The pool is gone. */
  forget(pool: string): void {
    this.#rosters.forget(pool);
  }

  /** What a pool's roster is made of may be another. */
  evaluateRoster(pool: string): void {
    this.#rosters.evaluate(pool);
  }

  /** As {@link evaluateRoster}, of all. */
  evaluateRosters(): void {
    this.#rosters.evaluateAll();
  }

  /** Whether a pool shares a resource, and the API server serves it as far as is known. */
  isShared(pool: string, resource: string): boolean {
    return this.#isNamed(pool, resource) && this.#resources.state(resource) !== 'absent';
  }

  /** The scope of a resource that a pool, or a solo node, shares; undefined: it does not. */
  scopeOf(pool: string, resource: string): PoolScope | undefined {
    if (!this.#isNamed(pool, resource)) return undefined;
    if (resource === POOL_RESOURCES.roster) return this.#rosters.scopeOf(pool);
    if (resource === POOL_RESOURCES.authentication) return this.#authenticationScope;
    if (pool.startsWith(SOLO_PREFIX)) this.#resources.borrow(this.#defaults(resource));
    return this.#resources.scope(resource);
  }

  /**
   * A solo node begins to want a resource. It has no one else to say what is shared: its roster says it, while it has
   * that. Answers what to call when it ends to.
   */
  wantSolo(node: string, resource: string): () => void {
    const pool = SOLO_PREFIX + node;
    const holder = `${pool}/${resource}`;
    const isRoster = resource === POOL_RESOURCES.roster;
    this.#resources.want(holder, isRoster ? this.#wantedBy(pool) : this.#defaults(resource));
    return () => {
      this.#resources.want(holder, []);
      if (isRoster) this.#rosters.forget(pool);
    };
  }

  /** What a pool is to share, but for what the hub makes up. */
  #wantedBy(pool: string): readonly NamedResource[] {
    const named = this.#options.table.pool(pool)?.resources ?? [];
    const wanted = named.length > 0 ? named : this.#options.config.resources;
    const allowed = wanted.filter((resource) => !NEVER_SHARED.has(poolResourceName(resource)));
    return [...allowed, ...SYSTEM];
  }

  #defaults(resource: string): readonly NamedResource[] {
    return this.#wantedBy('').filter((wanted) => poolResourceName(wanted) === resource);
  }

  #isNamed(pool: string, resource: string): boolean {
    if (resource === POOL_RESOURCES.roster || resource === POOL_RESOURCES.authentication) return true;
    return this.#wantedBy(pool).some((wanted) => poolResourceName(wanted) === resource);
  }

  /** What a pool shares now: what is served, and is here. */
  #sharedBy(pool: string): readonly PoolResource[] {
    const names = new Set(this.#wantedBy(pool).map(poolResourceName));
    const found = [...names].flatMap((name) => this.#resources.resource(name) ?? []);
    return this.#authentication.isKnown ? [...found, AUTHENTICATION] : found;
  }

  /**
   * Whether a roster may be told: for the first time, nothing may be missing in it that is only late; after that, what is
   * late comes when it comes.
   */
  #isDecided(pool: string, isTold: boolean): boolean {
    if (!this.#options.ready()) return false;
    if (isTold) return true;
    const isLate = (wanted: NamedResource): boolean =>
      this.#resources.state(poolResourceName(wanted)) === 'looking';
    return this.#authentication.decided && !this.#wantedBy(pool).some(isLate);
  }

  #entries(pool: string): readonly PoolMemberEntry[] {
    const { table, endpointOf } = this.#options;
    const known = table.pool(pool);
    return table.members(pool).map((name) => {
      const labels = table.facts(name)?.labels ?? {};
      return {
        ...{ name, endpoint: endpointOf(name), zone: labels[ZONE_LABEL] ?? '' },
        eligible: known?.elects === true && mayLead(known, labels),
      };
    });
  }

  #seenVersion(): string {
    const { view, table, leases } = this.#options;
    return [table.lastVersion, leases.lastVersion].reduce(laterVersion, view.highestVersion);
  }
}
