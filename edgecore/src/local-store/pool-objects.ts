import type { Clock } from '@hawser/seams';
import type { GroupResource } from '@hawser/kube';
import { NORMAL_FORMS, poolResourceName } from '@hawser/sync';
import type { PoolReader } from '../pool/pool-types.ts';
import type { ChangeHistoryLimits } from './change-history.ts';
import { PoolResourceState } from './pool-resource-state.ts';
import type { ResourceState } from './resource-state.ts';

/** What a {@link PoolObjects} needs. */
export interface PoolObjectsOptions {
  readonly pool: PoolReader;
  /** The version that what is made here begins with now. */
  readonly ownVersion: () => number;
  readonly clock: Clock;
  /** Of what is kept of the changes of each resource. Default: 2,000 changes, 1.5 MiB. */
  readonly limits?: ChangeHistoryLimits;
}

const DEFAULT_LIMITS: ChangeHistoryLimits = { events: 2000, bytes: 1536 * 1024 };

/** Replicas of these are without their status: whoever asks for them is to be shown it. */
const WITHOUT_STATUS: ReadonlySet<string> = new Set(NORMAL_FORMS.current.withoutStatusOf);

/**
 * The pool's resources as readers see them. Each is made when it is first asked for, and goes with its replica: when the
 * resource, or the node's pool, is another one.
 */
export class PoolObjects {
  readonly #options: PoolObjectsOptions;
  readonly #limits: ChangeHistoryLimits;
  readonly #states = new Map<string, PoolResourceState>();
  #unlisten: (() => void) | undefined;

  constructor(options: PoolObjectsOptions) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_LIMITS;
  }

  /** Idempotent. */
  start(): void {
    this.#unlisten ??= this.#options.pool.listen(() => this.#look());
  }

  /** Ends all watches. Idempotent. */
  stop(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
    for (const state of this.#states.values()) state.close();
    this.#states.clear();
  }

  /** Whether a resource is answered from the pool: it is shared, and its replica is there. */
  has(resource: GroupResource): boolean {
    return this.#view(poolResourceName(resource)) !== undefined;
  }

  /** undefined: it is not {@link has had}. */
  state(resource: GroupResource): ResourceState | undefined {
    const name = poolResourceName(resource);
    const view = this.#view(name);
    const present = this.#states.get(name);
    if (present !== undefined && present.view === view) return present.state;
    present?.end();
    this.#states.delete(name);
    if (view === undefined) return undefined;
    const { pool, clock, ownVersion } = this.#options;
    const { group, resource: plural } = resource;
    const made = new PoolResourceState({
      ...{ view, pool, clock, ownVersion },
      resource: { group, resource: plural },
      limits: this.#limits,
    });
    this.#states.set(name, made);
    return made.state;
  }

  /** States that were asked for, for metrics. */
  states(): readonly ResourceState[] {
    return [...this.#states.values()].map(({ state }) => state);
  }

  #view(name: string): ReturnType<PoolReader['view']> {
    const { pool } = this.#options;
    if (WITHOUT_STATUS.has(name) || !pool.resources().has(name)) return undefined;
    const view = pool.view(name);
    return view?.ready === true ? view : undefined;
  }

  #look(): void {
    for (const [name, present] of [...this.#states]) {
      if (this.#view(name) === present.view) {
        present.look();
        continue;
      }
      present.end();
      this.#states.delete(name);
    }
  }
}
