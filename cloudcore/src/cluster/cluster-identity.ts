import { Controller, FailureLimiter, RESOURCES, type ApiClient, type KubeObject } from '@hawser/kube';
import {
  deferred,
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
} from '@hawser/seams';
import { CloudCoreError } from '../errors.ts';
import { ensureClusterRecord, readClusterRecord, renewIncarnation } from './cluster-record.ts';
import { HAWSER_NAMESPACE, OBJECTS } from './names.ts';
import { WatchedObject } from './watched-object.ts';

/** Which cluster the hub speaks for, and which life of it: what goes into the welcome. */
export interface ClusterLife {
  /** UID of the namespace `kube-system`. */
  readonly uid: string;
  readonly incarnation: string;
  /** Incarnations after which an operator has accepted this one for all nodes; empty: none. */
  readonly follows: readonly string[];
}

/** Settings of {@link ClusterIdentity}. */
export interface ClusterIdentityOptions {
  readonly client: ApiClient;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

const IDENTITY_NAMESPACE = 'kube-system';
const RETRY = { baseMs: 200, capMs: 10_000 };
/** Lives that this process remembers, for a record that was restored without them. */
const MAX_SEEN = 32;

/** A life that is over, since the API server went back to an older state; what follows it is not known yet. */
interface EndedLife {
  readonly incarnation: string;
  readonly reason: string;
}

/**
 * Follows who the cluster is. 1. The UID of `kube-system`: another UID is another cluster. 2. The incarnation in the
 * ConfigMap `hawser-system/hawser-cluster`: made where it is missing, begun anew when the API server went back to an
 * older state, changed by any replica. While the process knows an incarnation and the ConfigMap is deleted, it is made
 * again as it was: a lost note is no new life. A ConfigMap that says a life which was over, having been restored with
 * the rest, is reason to begin a new one.
 */
export class ClusterIdentity {
  readonly #options: ClusterIdentityOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #namespace: WatchedObject;
  readonly #configMap: WatchedObject;
  readonly #keeper: Controller;
  readonly #listeners = new Set<(life: ClusterLife, before: ClusterLife) => void>();
  readonly #ready = deferred();
  #life: ClusterLife | undefined;
  /** The present life, where it is known to be over. */
  #ended: EndedLife | undefined;
  #renewing: Promise<ClusterLife> | undefined;
  /** Incarnations that were seen, the last one first. */
  #seen: readonly string[] = [];

  constructor(options: ClusterIdentityOptions) {
    this.#options = options;
    const { client, clock = systemClock, random = systemRandom, logger = silentLogger } = options;
    this.#clock = clock;
    this.#logger = logger.child({ component: 'cluster' });
    this.#ready.promise.catch(() => {}); // who waits hears of it, and maybe nobody does
    const common = {
      ...{ client, clock, random },
      onChange: () => this.#evaluate(),
      onError: (err: Error) => this.#logger.warn({ err }, 'watching the identity of the cluster failed'),
    };
    this.#namespace = new WatchedObject({
      ...common,
      ...{ resource: RESOURCES.namespaces, namespace: '', name: IDENTITY_NAMESPACE },
    });
    this.#configMap = new WatchedObject({
      ...common,
      ...{ resource: RESOURCES.configmaps, namespace: HAWSER_NAMESPACE, name: OBJECTS.cluster },
    });
    this.#keeper = new Controller({
      name: 'cluster-record',
      reconcile: () => this.#ensure(),
      rateLimiter: new FailureLimiter(RETRY),
      onError: (err) => this.#logger.error({ err }, 'the incarnation of the cluster cannot be kept'),
      clock,
    });
  }

  /** undefined: not known yet; then nothing may be said to an edge. */
  get current(): ClusterLife | undefined {
    return this.#life;
  }

  /** Begins; without effect when begun or stopped. */
  start(): void {
    this.#namespace.start();
    this.#configMap.start();
    this.#keeper.start();
  }

  /**
   * Resolves once {@link current} is known.
   * Errors: `signal.reason`; `ERR_CLOUDCORE_CLOSED` when stopped before.
   */
  async waitUntilKnown(signal?: AbortSignal): Promise<ClusterLife> {
    signal?.throwIfAborted();
    const aborted = deferred<never>();
    const onAbort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#ready.promise, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    return this.#known();
  }

  /** Calls when {@link current} has become another. Answers how to stop listening. */
  onChange(listener: (life: ClusterLife, before: ClusterLife) => void): () => void {
    const own = (life: ClusterLife, before: ClusterLife): void => listener(life, before);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /**
   * The API server went back to an older state: begins a new incarnation. Where another replica has done so already,
   * that one counts. Resolves when it is written; {@link current} is the new one then. Goes on trying where that fails,
   * though the caller hears of it. Whoever asks while it goes on speaks of the same event.
   * Errors: `ERR_CLOUDCORE_CLUSTER` before the present one is known; those of `ApiClient`.
   */
  async renew(reason: string): Promise<ClusterLife> {
    this.#end(this.#known(), reason);
    try {
      return await this.#renew();
    } catch (error) {
      this.#keeper.enqueue(OBJECTS.cluster);
      throw error;
    }
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#ready.reject(new CloudCoreError('ERR_CLOUDCORE_CLOSED', 'the hub is stopping'));
    await Promise.all([this.#namespace.stop(), this.#configMap.stop(), this.#keeper.stop()]);
  }

  #known(): ClusterLife {
    if (this.#life !== undefined) return this.#life;
    throw new CloudCoreError('ERR_CLOUDCORE_CLUSTER', 'it is not known yet which cluster this is');
  }

  #end({ incarnation }: ClusterLife, reason: string): void {
    this.#ended ??= { incarnation, reason };
  }

  #renew(): Promise<ClusterLife> {
    this.#renewing ??= this.#writeNewLife().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #writeNewLife(): Promise<ClusterLife> {
    if (this.#ended === undefined) return this.#known();
    const { incarnation, reason } = this.#ended;
    // Versions from before would make what is written now look old.
    this.#configMap.distrust();
    this.#namespace.distrust();
    const target = { client: this.#options.client, clock: this.#clock };
    this.#take(await renewIncarnation(target, incarnation, reason, this.#seen));
    return this.#known();
  }

  /** Begins a new life where the present one is over; makes the record where it is missing or says nothing. */
  async #ensure(): Promise<void> {
    if (this.#ended !== undefined) await this.#renew();
    if (readClusterRecord(this.#configMap.current) !== undefined) return;
    this.#take(await ensureClusterRecord({ client: this.#options.client }, this.#seen[0]));
  }

  /** What was written counts at once: the watch may be late. */
  #take(configMap: KubeObject): void {
    this.#configMap.written(configMap);
    this.#evaluate();
  }

  #evaluate(): void {
    const uid = this.#namespace.current?.metadata.uid ?? '';
    const record = readClusterRecord(this.#configMap.current);
    if (record === undefined) {
      if (this.#configMap.known) this.#keeper.enqueue(OBJECTS.cluster);
      return;
    }
    if (uid === '') return;
    if (this.#life !== undefined && this.#seen.indexOf(record.incarnation) > 0) {
      this.#end(this.#life, `the record of the cluster went back to incarnation ${record.incarnation}`);
      this.#keeper.enqueue(OBJECTS.cluster);
      return;
    }
    const follows = record.accepted ? record.previous : [];
    const life = { uid, incarnation: record.incarnation, follows };
    if (this.#life !== undefined && sameLife(this.#life, life)) return;
    const before = this.#life;
    this.#life = life;
    if (this.#ended?.incarnation !== life.incarnation) this.#ended = undefined;
    this.#seen = [...new Set([life.incarnation, ...this.#seen])].slice(0, MAX_SEEN);
    this.#logger.info({ ...life, before: before?.incarnation }, 'the cluster is known');
    this.#ready.resolve();
    if (before !== undefined) this.#tell(life, before);
  }

  #tell(life: ClusterLife, before: ClusterLife): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(life, before);
      } catch (err) {
        this.#logger.error({ err }, 'a listener failed');
      }
    }
  }
}

function sameLife(left: ClusterLife, right: ClusterLife): boolean {
  return (
    left.uid === right.uid &&
    left.incarnation === right.incarnation &&
    left.follows.join(' ') === right.follows.join(' ')
  );
}
