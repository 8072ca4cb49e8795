import {
  POOL_API_VERSION,
  POOL_RESOURCES,
  SOLO_PREFIX,
  stateSubject,
  type PoolMemberEntry,
  type PoolResource,
  type PoolRoster,
} from '@hawser/sync';
import { CloudCoreError } from '../errors.ts';
import { MadeScope, type MadeScopeSettings } from './made-scope.ts';

/** What rosters are made of. */
export interface RosterFacts {
  /** Whether all that a roster is made of is known. @param isTold it was told before */
  readonly decided: (pool: string, isTold: boolean) => boolean;
  readonly leadership: (pool: string) => { readonly leader: string; readonly epoch: number };
  readonly members: (pool: string) => readonly PoolMemberEntry[];
  readonly resources: (pool: string) => readonly PoolResource[];
  /** Revoked certificates of the members. */
  readonly revoked: (pool: string) => readonly string[];
  readonly heartbeatSeconds: number;
}

/** What the members of each pool are told about each other, a scope for each pool. */
export class Rosters {
  readonly #facts: RosterFacts;
  readonly #settings: MadeScopeSettings;
  readonly #scopes = new Map<string, MadeScope>();
  readonly #dirty = new Set<string>();

  constructor(facts: RosterFacts, settings: MadeScopeSettings) {
    this.#facts = facts;
    this.#settings = settings;
  }

  /** The scope of a pool, made if there is none; complete as soon as all is known. */
  scopeOf(pool: string): MadeScope {
    const present = this.#scopes.get(pool);
    if (present !== undefined) return present;
    const subject = stateSubject(pool, POOL_RESOURCES.roster);
    const scope = new MadeScope(POOL_RESOURCES.roster, subject, this.#settings);
    this.#scopes.set(pool, scope);
    this.#build(pool);
    return scope;
  }

  /** What a roster is made of may be another: it is made once for all that happens in one turn. */
  evaluate(pool: string): void {
    if (!this.#scopes.has(pool)) return;
    if (this.#dirty.size === 0) queueMicrotask(() => this.#flush());
    this.#dirty.add(pool);
  }

  /** As {@link evaluate}, of all. */
  evaluateAll(): void {
    for (const pool of this.#scopes.keys()) this.evaluate(pool);
  }

  /** The API server has another life. */
  distrust(): void {
    for (const scope of this.#scopes.values()) scope.distrust();
  }

  /** The pool is gone, or nobody asks any more. */
  forget(pool: string): void {
    const scope = this.#scopes.get(pool);
    this.#scopes.delete(pool);
    scope?.close(new CloudCoreError('ERR_CLOUDCORE_CLOSED', `the pool ${pool} is gone`));
  }

  #flush(): void {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    for (const pool of dirty) this.#build(pool);
  }

  #build(pool: string): void {
    const scope = this.#scopes.get(pool);
    if (scope === undefined || !this.#facts.decided(pool, scope.ready)) return;
    scope.set({
      ...{ apiVersion: POOL_API_VERSION, kind: 'PoolRoster' },
      metadata: { name: pool },
      spec: this.#make(pool),
    });
  }

  #make(pool: string): PoolRoster {
    const { leadership, members, resources, revoked, heartbeatSeconds } = this.#facts;
    const { leader, epoch } = pool.startsWith(SOLO_PREFIX) ? { leader: '', epoch: 0 } : leadership(pool);
    return {
      ...{ pool, epoch, leader, heartbeatSeconds },
      members: members(pool),
      resources: resources(pool),
      revoked: revoked(pool),
    };
  }
}
