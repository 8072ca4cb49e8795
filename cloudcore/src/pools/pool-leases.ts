import {
  compareResourceVersions,
  Reflector,
  ResourceClient,
  resourceListerWatcher,
  RESOURCES,
  StatusError,
  type ApiClient,
  type KubeObject,
  type Lease,
  type ReflectorMetrics,
} from '@hawser/kube';
import type { Clock, Logger, Random } from '@hawser/seams';
import { Gate } from '../cache/gate.ts';
import { HAWSER_NAMESPACE, LABELS } from '../cluster/names.ts';
import {
  askingLease,
  claimedLease,
  leadershipOf,
  POOL_LEASE,
  poolLeaseName,
  poolOfLease,
  type AskedClaim,
  type Leadership,
  type LeadershipClaim,
} from './pool-lease.ts';

/** A Lease as this replica knows it. */
export interface KnownLease {
  readonly lease: Lease;
  readonly leadership: Leadership;
  /** Monotonic, milliseconds: when this replica saw it renewed, or written in another way. */
  readonly seenMs: number;
}

/** Settings of {@link PoolLeases}. */
export interface PoolLeasesOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly reflectorMetrics?: ReflectorMetrics;
  /** The Lease of a pool is another one, or gone. */
  readonly onLease: (pool: string) => void;
  readonly onState: () => void;
}

const CALL_TIMEOUT_MS = 5_000;

/**
 * The Leases of pools: watched, and written on top of the version known. How old one is is told by when this replica saw
 * it, never by the time that is written in it.
 */
export class PoolLeases {
  readonly #options: PoolLeasesOptions;
  readonly #client: ResourceClient<Lease>;
  readonly #reflector: Reflector<Lease>;
  readonly #known = new Map<string, KnownLease>();
  readonly #synced = new Gate();
  #isRefused = false;

  constructor(options: PoolLeasesOptions) {
    this.#options = options;
    const { client, clock, random, log, reflectorMetrics } = options;
    this.#client = new ResourceClient<Lease>(client, RESOURCES.leases);
    const scope = { namespace: HAWSER_NAMESPACE, labelSelector: `${LABELS.kind}=${POOL_LEASE}` };
    this.#reflector = new Reflector<Lease>({
      name: 'leases/pools',
      listerWatcher: resourceListerWatcher(client, RESOURCES.leases, scope),
      sink: {
        prepare: (object) => (poolOfLease(object) === undefined ? undefined : object),
        put: (lease) => this.#take(lease),
        replace: (leases, version) => this.#replace([...leases], version),
        remove: (object) => this.#remove(object),
      },
      initialVersion: '',
      suspectsRestores: true,
      onError: (err) => {
        log.warn({ err }, 'the Leases of pools are not watched; trying again');
        if (err instanceof StatusError && err.status.code === 403) this.#refused();
      },
      ...{ clock, random, ...(reflectorMetrics && { metrics: reflectorMetrics }) },
    });
  }

  /** Whether all Leases are known: also where the hub may not read them. */
  get decided(): boolean {
    return this.#synced.isOpen || this.#isRefused;
  }

  /** Whether the hub may not read them: nobody can be elected. */
  get refused(): boolean {
    return this.#isRefused && !this.#synced.isOpen;
  }

  get lastVersion(): string {
    return this.#reflector.lastVersion;
  }

  get(pool: string): KnownLease | undefined {
    return this.#known.get(pool);
  }

  start(): void {
    this.#reflector.start();
  }

  /** The API server has another life: versions from before say nothing any more. */
  relist(): void {
    this.#known.clear();
    this.#synced.close();
    this.#reflector.relist();
  }

  /** Resolves when nothing is open any more. Idempotent. */
  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  /**
   * Reads the Lease of a pool anew; what it is counts from here on.
   * Errors: those of `ApiClient`; `signal.reason`.
   */
  async refresh(pool: string, signal: AbortSignal): Promise<KnownLease | undefined> {
    try {
      const call = { signal, retries: 0, timeoutMs: CALL_TIMEOUT_MS };
      this.#take(await this.#client.get(HAWSER_NAMESPACE, poolLeaseName(pool), call));
    } catch (error) {
      if (!(error instanceof StatusError) || error.status.code !== 404) throw error;
      this.#forget(pool);
    }
    return this.get(pool);
  }

  /**
   * Writes a claim on top of what is known; what was written counts at once.
   * @returns false: somebody else has written since; what that is is known now
   * Errors: those of `ApiClient`; `signal.reason`
   */
  async write(
    pool: { readonly name: string; readonly uid: string; readonly apiVersion: string } | undefined,
    poolName: string,
    claim: LeadershipClaim,
    signal: AbortSignal,
  ): Promise<boolean> {
    const present = this.get(poolName)?.lease;
    const wanted = claimedLease(present, pool, { ...claim, poolName }, this.#options.clock.wallMs());
    return this.#put(poolName, wanted, present === undefined, signal);
  }

  /**
   * Notes what a member wants, for the replica that has the leader's session. Answers and errors as {@link write}.
   */
  async ask(poolName: string, asked: AskedClaim, signal: AbortSignal): Promise<boolean> {
    const present = this.get(poolName)?.lease;
    return present !== undefined && this.#put(poolName, askingLease(present, asked), false, signal);
  }

  /** Whether what is known is what the API server has. Errors: those of `ApiClient`. */
  async agrees(signal: AbortSignal): Promise<boolean> {
    const query = { labelSelector: `${LABELS.kind}=${POOL_LEASE}` };
    const { items } = await this.#client.list(HAWSER_NAMESPACE, { query, signal, retries: 0 });
    return items.every((lease) => {
      const pool = poolOfLease(lease);
      if (pool === undefined) return true;
      const known = this.#known.get(pool)?.leadership;
      const { leader, epoch } = leadershipOf(lease);
      return known?.leader === leader && known.epoch === epoch;
    });
  }

  async #put(poolName: string, wanted: KubeObject, isNew: boolean, signal: AbortSignal): Promise<boolean> {
    const call = { signal, retries: 0, timeoutMs: CALL_TIMEOUT_MS };
    try {
      this.#take(await (isNew ? this.#client.create(wanted, call) : this.#client.update(wanted, call)));
      return true;
    } catch (error) {
      if (!isRace(error)) throw error;
      await this.refresh(poolName, signal);
      return false;
    }
  }

  #take(lease: Lease): void {
    const pool = poolOfLease(lease);
    if (pool === undefined) return;
    const known = this.#known.get(pool);
    const version = known?.lease.metadata.resourceVersion ?? '';
    const { resourceVersion = '' } = lease.metadata;
    const order = version === '' ? 1 : (compareResourceVersions(resourceVersion, version) ?? 1);
    if (order <= 0) return;
    const isRenewed = known?.lease.spec?.renewTime !== lease.spec?.renewTime;
    const slim = { ...lease, metadata: { ...lease.metadata, managedFields: undefined } } as Lease;
    this.#known.set(pool, {
      lease: slim,
      leadership: leadershipOf(lease),
      seenMs: isRenewed || known === undefined ? this.#options.clock.monotonicMs() : known.seenMs,
    });
    this.#options.onLease(pool);
  }

  #replace(leases: readonly Lease[], version: string): void {
    const listed = new Set(leases.map((lease) => poolOfLease(lease)));
    for (const lease of leases) this.#take(lease);
    for (const [pool, { lease }] of [...this.#known]) {
      // What was written after the list was made is not in it.
      const order = compareResourceVersions(lease.metadata.resourceVersion ?? '', version) ?? -1;
      if (!listed.has(pool) && order <= 0) this.#forget(pool);
    }
    this.#synced.open();
    queueMicrotask(() => this.#options.onState());
  }

  #remove(object: KubeObject): void {
    const pool = poolOfLease(object);
    const known = pool === undefined ? undefined : this.#known.get(pool)?.lease.metadata;
    // A Lease that was made anew since stays.
    if (pool !== undefined && known?.uid === object.metadata.uid) this.#forget(pool);
  }

  #forget(pool: string): void {
    if (this.#known.delete(pool)) this.#options.onLease(pool);
  }

  #refused(): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.#options.log.error({}, 'the hub may not keep Leases of pools: run `hawser init` again');
    this.#options.onState();
  }
}

/** Somebody else wrote, made or removed the Lease. */
function isRace(error: unknown): boolean {
  return error instanceof StatusError && (error.status.code === 409 || error.status.code === 404);
}
