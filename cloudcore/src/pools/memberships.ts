import {
  contentOf,
  POOL_API_VERSION,
  POOL_RESOURCES,
  poolObjectKey,
  SOLO_PREFIX,
  type Content,
  type ContentKey,
  type PoolMembership,
} from '@hawser/sync';

/** What memberships are made of. */
export interface MembershipFacts {
  /** The pool of a node, `''`: none; undefined: not known. */
  readonly poolOf: (node: string) => string | undefined;
  readonly leadership: (pool: string) => { readonly leader: string; readonly epoch: number };
  /** Whether a leader is wanted. */
  readonly elects: (pool: string) => boolean;
  readonly endpointOf: (node: string) => string;
  /** Public keys of signed states. */
  readonly keys: readonly string[];
  /** For readers; no part of what is compared. */
  readonly version: () => string;
}

/**
 * What each edge node is told of its place: a `PoolMembership` in its own scope. Members of a pool have the same one; a
 * node in no pool has one of its solo pool, which is how it gets the keys.
 */
export class Memberships {
  readonly #facts: MembershipFacts;
  readonly #byPool = new Map<string, Content>();
  /** Of nodes in no pool. */
  readonly #solo = new Map<string, Content>();

  constructor(facts: MembershipFacts) {
    this.#facts = facts;
  }

  /** The pool that a node is told of: its own, `~<node>`; undefined: not known. */
  poolOf(node: string): string | undefined {
    const pool = this.#facts.poolOf(node);
    return pool === '' ? SOLO_PREFIX + node : pool;
  }

  /** What a node is to have; undefined: nothing is known of it. */
  of(node: string): Content | undefined {
    const pool = this.#facts.poolOf(node);
    if (pool === undefined) return undefined;
    if (pool === '') return this.#ofSolo(node);
    const known = this.#byPool.get(pool) ?? this.#ofPool(pool);
    this.#byPool.set(pool, known);
    return known;
  }

  /** What members of a pool are told may be another one. Answers whether it is. */
  evaluate(pool: string): boolean {
    const before = this.#byPool.get(pool);
    if (before === undefined) return true;
    const after = this.#ofPool(pool);
    if (after.hash === before.hash) return false;
    this.#byPool.set(pool, after);
    return true;
  }

  /** The pool of a node is another one. */
  moved(node: string): void {
    this.#solo.delete(node);
  }

  /** The pool is gone. */
  forget(pool: string): void {
    this.#byPool.delete(pool);
  }

  /** There may be thousands: what is kept of one is its hash, and not its bytes. */
  #ofSolo(node: string): Content {
    const known = this.#solo.get(node);
    if (known !== undefined) return known;
    const make = (): Content => this.#make({ pool: SOLO_PREFIX + node, leader: '', endpoint: '', epoch: 0 });
    const { key, hash, version } = make();
    const made: Content = {
      ...{ key, hash, version },
      get bytes() {
        return make().bytes;
      },
    };
    this.#solo.set(node, made);
    return made;
  }

  #ofPool(pool: string): Content {
    const { leader, epoch } = this.#facts.leadership(pool);
    const endpoint = leader === '' ? '' : this.#facts.endpointOf(leader);
    return this.#make({
      ...{ pool, leader, epoch, endpoint },
      ...(!this.#facts.elects(pool) && { leaderless: true as const }),
    });
  }

  #make(about: Omit<PoolMembership, 'keys'>): Content {
    const { keys, version } = this.#facts;
    const spec: PoolMembership = { ...about, keys };
    return contentOf(POOL_RESOURCES.membership, {
      apiVersion: POOL_API_VERSION,
      kind: 'PoolMembership',
      metadata: { name: about.pool, resourceVersion: version() },
      spec,
    });
  }
}

/** Key of the membership of a pool. */
export function membershipKey(pool: string): ContentKey {
  return poolObjectKey(POOL_RESOURCES.membership, pool);
}
