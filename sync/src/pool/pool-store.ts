import type { ContentKey } from '../content/content.ts';
import { DigestTree } from '../content/digest-tree.ts';
import type { ReplicaChange, ReplicaEntry, ReplicaRecord, ReplicaStore } from '../edge/replica-store.ts';
import type { ReplicaChecks } from '../edge/replica-session.ts';
import { SyncError } from '../errors.ts';
import { SYNC_WINDOW } from '../window.ts';
import { PoolScope, type CheckedState } from './pool-scope.ts';
import { readSnapshot, writeSnapshot, writeSnapshotAside, type PoolSnapshot } from './pool-snapshot.ts';
import type { PoolView } from './pool-view.ts';

/** What a {@link PoolStore} is made of. */
export interface PoolStoreOptions {
  /**
   * Looks at a stamp that differs from the committed one, and answers what it says.
   * @throws SyncError `ERR_SYNC_FORGED` where the hub has not signed it
   */
  readonly check: (scope: string, stamp: Uint8Array) => CheckedState;
  /** Default: {@link POOL_STORE_LIMITS}. */
  readonly limits?: PoolStoreLimits;
}

/** Bounds of a {@link PoolStore}. */
export interface PoolStoreLimits {
  /** Objects of one scope. */
  readonly objects: number;
  /** Bytes of what is staged in all scopes together. What it takes the place of may be as much again, for a while. */
  readonly bytes: number;
}

/** 100,000 objects of a scope, 64 MiB in all. */
export const POOL_STORE_LIMITS: PoolStoreLimits = {
  objects: SYNC_WINDOW.objects,
  bytes: 64 * 1024 * 1024,
};

type Listener = (scope: string, keys: readonly ContentKey[]) => void;

/**
 * Replicas of a pool's scopes, in memory: docs/pool.md, "Signed states". What comes is staged; it is committed, all at
 * once, when a signed state says that what is staged is right. Whoever follows ({@link ReplicaStore}) goes on from
 * what is staged, whoever reads ({@link view}) sees what is committed.
 *
 * Nothing of it is durable but {@link snapshot}. A scope is there as soon as it is asked for, empty.
 */
export class PoolStore implements ReplicaStore {
  readonly #check: PoolStoreOptions['check'];
  readonly #limits: PoolStoreLimits;
  readonly #scopes = new Map<string, PoolScope>();
  readonly #listeners = new Set<Listener>();

  constructor(options: PoolStoreOptions) {
    this.#check = options.check;
    this.#limits = options.limits ?? POOL_STORE_LIMITS;
  }

  entries(scope: string): ReadonlyMap<ContentKey, ReplicaEntry> {
    return this.#scope(scope).entries;
  }

  record(scope: string): ReplicaRecord {
    return this.#scope(scope).record;
  }

  read(scope: string, key: ContentKey): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#scope(scope).entries.get(key)?.bytes);
  }

  /**
   * Stages, and commits where it may.
   * @throws SyncError `ERR_SYNC_FORGED`, `ERR_SYNC_OLD_STATE`, `ERR_SYNC_LIMIT`; then nothing of it was done. With the
   *   last one all that was staged is given up too: what somebody has filled the store with is nobody else's burden.
   */
  apply(scope: string, changes: readonly ReplicaChange[], record?: ReplicaRecord): Promise<void> {
    return new Promise((resolve) => {
      const replica = this.#scope(scope);
      try {
        this.#keepWithin(replica, changes);
      } catch (error) {
        replica.discard();
        throw error;
      }
      replica.apply(changes, record);
      const keys = changes.map((change) => ('put' in change ? change.put.key : change.remove));
      for (const listener of [...this.#listeners]) listener(scope, keys);
      resolve();
    });
  }

  /** Calls with the keys of each `apply`, once they are staged. Answers how to stop listening. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What is committed of a scope, now and from now on: one view for as long as the store lives. */
  view(scope: string): PoolView {
    return this.#scope(scope);
  }

  /** Version of the normal form of what is committed, for publishers; 0: nothing is. */
  normalForm(scope: string): number {
    return this.#scope(scope).normalForm;
  }

  /** Life of the cluster (`CheckedState.life`) that what is committed was signed in; undefined: nothing is. */
  life(scope: string): string | undefined {
    return this.#scope(scope).life;
  }

  /** What the scope's `ScopeReplica` is to be made with. */
  checks(scope: string): ReplicaChecks {
    return {
      stamp: (stamp) => void this.#scope(scope).judge(stamp),
      synced: () => {
        if (this.#scope(scope).isSettled) return;
        throw new SyncError('ERR_SYNC_FORGED', `${scope}: what came is no state that the hub has signed`);
      },
    };
  }

  /** Gives up what is staged and not committed; with it what somebody may have altered. Not within a session. */
  discard(scope: string): void {
    this.#scope(scope).discard();
  }

  /** Gives up the scope. Its view is empty from now on, and not ready; whoever listens is told nothing. */
  forget(scope: string): void {
    this.#scope(scope).clear();
  }

  /** Bytes of what is committed. */
  bytes(scope: string): number {
    return this.#scope(scope).bytes;
  }

  /** All that is committed of a scope, for {@link restore}; undefined: nothing is. */
  snapshot(scope: string): Uint8Array | undefined {
    const committed = this.#committed(scope);
    return committed && writeSnapshot(committed);
  }

  /** {@link snapshot} as of the call, packed in a thread where it is large: 16 MB take 0.2 s and more. */
  async snapshotAside(scope: string): Promise<Uint8Array | undefined> {
    const committed = this.#committed(scope);
    return committed && writeSnapshotAside(committed);
  }

  /**
   * Takes what {@link snapshot} gave in place of all that the scope has, and commits it, where the hub has signed it.
   * @throws SyncError `ERR_SYNC_BAD_PACK` where it is damaged, `ERR_SYNC_FORGED` where it is not what was signed,
   *   `ERR_SYNC_OLD_STATE`, `ERR_SYNC_LIMIT`; then the scope is as it was
   */
  restore(scope: string, snapshot: Uint8Array): void {
    const { stamp, normalForm, changed, contents } = readSnapshot(snapshot, this.#limits);
    const replica = this.#scope(scope);
    const { digest } = replica.judge(stamp);
    const tree = DigestTree.of(contents.map(({ key, hash }) => [key, hash]));
    if (Buffer.compare(tree.digest(), digest) !== 0)
      throw new SyncError('ERR_SYNC_FORGED', `${scope}: a snapshot that is not the state that was signed`);
    const isNew = !replica.ready;
    const removes = [...replica.entries.keys()].filter((key) => tree.get(key) === undefined);
    const changes = [...removes.map((remove) => ({ remove })), ...contents.map((put) => ({ put }))];
    this.#keepWithin(replica, changes);
    replica.apply(changes, { normalForm, stamp });
    if (isNew) replica.restored(changed);
  }

  #committed(scope: string): PoolSnapshot | undefined {
    const { ready, stamp, normalForm, changed } = this.#scope(scope);
    if (!ready) return undefined;
    return { stamp, normalForm, changed, contents: this.#scope(scope).contents() };
  }

  #scope(name: string): PoolScope {
    let scope = this.#scopes.get(name);
    if (scope === undefined) {
      scope = new PoolScope(name, (stamp) => this.#check(name, stamp));
      this.#scopes.set(name, scope);
    }
    return scope;
  }

  /** What makes less of it is always taken. */
  #keepWithin(replica: PoolScope, changes: readonly ReplicaChange[]): void {
    const { objects, bytes } = replica.after(changes);
    let all = bytes;
    for (const other of this.#scopes.values()) if (other !== replica) all += other.stagedBytes;
    if (all > this.#limits.bytes && bytes > replica.stagedBytes)
      throw new SyncError('ERR_SYNC_LIMIT', `more than ${this.#limits.bytes} bytes in the pool's scopes`);
    if (objects > this.#limits.objects && objects > replica.entries.size)
      throw new SyncError('ERR_SYNC_LIMIT', `more than ${this.#limits.objects} objects in ${replica.scope}`);
  }
}
