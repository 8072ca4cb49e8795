import { Backoff, delay, type Clock, type Logger, type Random } from '@hawser/seams';
import {
  DigestTree,
  hashOf,
  NORMAL_FORMS,
  POOL_RESOURCES,
  poolObjectKey,
  poolResourceName,
  poolScope,
  publishedView,
  ScopeReplica,
  type PoolCommit,
  type PoolResource,
  type PoolRoster,
  type PoolStore,
  type PoolView,
  type PublishedView,
  type SignedState,
} from '@hawser/sync';
import type { Following, ScopeFollower } from '../hub/scope-following.ts';
import { compareVersions } from './leader-order.ts';
import type { PublishedScope } from './peer-service.ts';
import type { RosterProof } from './peer-messages.ts';
import { readRoster } from './pool-documents.ts';
import type { PoolTimes } from './pool-times.ts';
import { ALTERED } from './state-checks.ts';

/** Where a pool's scopes come from. Another one is another object. */
export interface ScopeSource {
  readonly kind: 'cloud' | 'leader';
  /** For logs: the hub, or a node. */
  readonly name: string;
  readonly follower: ScopeFollower;
  readonly epoch: number;
  readonly direct: boolean;
}

/** What {@link PoolScopes} are made of. */
export interface PoolScopesOptions {
  readonly pool: string;
  readonly store: PoolStore;
  /** Looks at a stamp. @throws SyncError `ERR_SYNC_FORGED` */
  readonly check: (scope: string, stamp: Uint8Array) => SignedState;
  /** A scope has ended by a word of the source, or by what it gave; the code says which. */
  readonly onEnded: (source: ScopeSource, scope: string, code: string, message: string) => void;
  readonly onCommit: (commit: PoolCommit, source: ScopeSource | undefined) => void;
  /** Scopes are in sync with their source, or have come or gone: look again. */
  readonly onChange: () => void;
  /** Whether followers may be told what is here. */
  readonly mayPublish: () => boolean;
  readonly times: () => Pick<PoolTimes, 'confirmMs'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** One resource of the pool. */
interface Entry {
  readonly resource: string;
  readonly scope: string;
  readonly replica: ScopeReplica;
  readonly view: PoolView;
  readonly published: PublishedView;
  readonly backoff: Backoff;
  readonly undo: readonly (() => void)[];
  following: { readonly source: ScopeSource; readonly handle: Following } | undefined;
  /** Not followed again before, monotonic milliseconds. */
  retryMs: number;
  /** The source with which it was in sync last, and since when, monotonic milliseconds. */
  synced: ScopeSource | undefined;
  syncedMs: number;
}

const ROSTER = POOL_RESOURCES.roster;
const RETRY_MS = { base: 1_000, cap: 30_000 } as const;
/** What waits for a scope to be in sync again looks so often. */
const CATCH_UP_LIMIT = 64;

/**
 * The replicas of a pool: one for each resource of the roster, and the roster itself. Whoever is their source, they go on
 * from what they have: another one begins with a comparison, and only differences travel.
 */
export class PoolScopes {
  readonly #options: PoolScopesOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting = new Set<() => void>();
  #source: ScopeSource | undefined;
  #roster: PoolRoster | undefined;
  #resources: ReadonlyMap<string, PoolResource> = new Map();

  constructor(options: PoolScopesOptions) {
    this.#options = options;
  }

  /** The pool whose scopes these are. */
  get pool(): string {
    return this.#options.pool;
  }

  /** As it is committed; undefined: none yet. */
  get roster(): PoolRoster | undefined {
    return this.#roster;
  }

  /** What is shared, by name. */
  get resources(): ReadonlyMap<string, PoolResource> {
    return this.#resources;
  }

  /** Whom they follow. */
  get source(): ScopeSource | undefined {
    return this.#source;
  }

  /** Whether every replica shows something. */
  get complete(): boolean {
    for (const { view } of this.#entries.values()) if (!view.ready) return false;
    return this.#roster !== undefined;
  }

  /** Whether every replica has been in sync with the present source. */
  get synced(): boolean {
    if (this.#source === undefined || this.#roster === undefined) return false;
    for (const { synced } of this.#entries.values()) if (synced !== this.#source) return false;
    return true;
  }

  /** Scopes that are followed now. */
  get followed(): number {
    let count = 0;
    for (const { following } of this.#entries.values()) if (following !== undefined) count += 1;
    return count;
  }

  /** The highest resourceVersion that a replica shows; empty: none. */
  get version(): string {
    let highest = '';
    for (const { view } of this.#entries.values())
      if (compareVersions(view.version, highest) > 0) highest = view.version;
    return highest;
  }

  /** The version of the roster that is shown; empty: none. */
  get rosterVersion(): string {
    return this.#entries.get(ROSTER)?.view.version ?? '';
  }

  /** Begins with what the store has. Called once. */
  open(): void {
    this.#add(ROSTER);
    this.#takeRoster();
  }

  /** The replica of a resource; undefined: it is not shared. */
  view(resource: string): PoolView | undefined {
    return this.#entries.get(resource)?.view;
  }

  /** Names of the resources, the roster's too. */
  names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** How a resource is followed; undefined: it is not shared. */
  standing(
    resource: string,
  ): { readonly source: ScopeSource | undefined; readonly synced: boolean } | undefined {
    const entry = this.#entries.get(resource);
    if (entry === undefined) return undefined;
    const source = entry.following?.source;
    return { source, synced: source !== undefined && entry.replica.state.synced };
  }

  /** What followers are given of a resource; undefined: it is not shared. */
  published(resource: string): PublishedScope | undefined {
    const entry = this.#entries.get(resource);
    if (entry === undefined) return undefined;
    const form = this.#options.store.normalForm(entry.scope);
    return { view: entry.published, normalForm: form === 0 ? NORMAL_FORMS.current.version : form };
  }

  /** Whether what is shown of a resource was signed in this life of the cluster; nothing shown yet is of any. */
  isOf(resource: string, life: string): boolean {
    const entry = this.#entries.get(resource);
    return entry === undefined || (this.#options.store.life(entry.scope) ?? life) === life;
  }

  /** Followers may be told from now on. */
  becameReady(): void {
    for (const { published } of this.#entries.values()) published.becameReady();
  }

  /** Follows this source from now on; undefined: nobody. The same object again changes nothing. */
  follow(source: ScopeSource | undefined): void {
    if (source === this.#source) return;
    this.#source = source;
    for (const entry of this.#entries.values()) {
      this.#unfollow(entry);
      entry.retryMs = -Infinity;
      entry.backoff.reset();
    }
  }

  /** Follows what is not followed and may be tried. @returns when there is something to be tried next, monotonic ms */
  look(nowMs: number): number {
    const source = this.#source;
    let nextMs = Infinity;
    if (source === undefined) return nextMs;
    for (const entry of [...this.#entries.values()]) {
      if (entry.following !== undefined) continue;
      if (entry.retryMs <= nowMs) this.#follow(entry, source, nowMs);
      if (this.#entries.get(entry.resource)?.following === undefined)
        nextMs = Math.min(nextMs, Math.max(entry.retryMs, nowMs + 1));
    }
    return nextMs;
  }

  /** The roster as it was signed, for others; undefined: none. */
  rosterProof(): RosterProof | undefined {
    const view = this.#entries.get(ROSTER)?.view;
    const content = view?.get(poolObjectKey(ROSTER, this.pool));
    if (view === undefined || content === undefined) return undefined;
    return {
      stamp: Buffer.from(view.stamp).toString('base64'),
      version: content.version,
      content: Buffer.from(content.bytes).toString('utf8'),
    };
  }

  /**
   * A roster that a peer shows: taken where the hub has signed it, and it is newer.
   * @throws SyncError `ERR_SYNC_FORGED`, `ERR_SYNC_OLD_STATE`
   */
  async offerRoster(proof: RosterProof): Promise<void> {
    const stamp = new Uint8Array(Buffer.from(proof.stamp, 'base64'));
    const scope = poolScope(this.pool, ROSTER);
    const { version, digest } = this.#options.check(scope, stamp);
    if (compareVersions(version, this.rosterVersion) <= 0) return;
    const key = poolObjectKey(ROSTER, this.pool);
    const bytes = new Uint8Array(Buffer.from(proof.content, 'utf8'));
    const hash = hashOf(bytes);
    const tree = new DigestTree();
    tree.set(key, hash);
    if (Buffer.compare(tree.digest(), digest) !== 0) return; // of another time than its stamp: nobody's fault
    const record = { normalForm: NORMAL_FORMS.current.version, stamp };
    await this.#options.store.apply(scope, [{ put: { key, hash, version: proof.version, bytes } }], record);
  }

  /** Gives up what is staged: somebody may have altered it. What is committed stays. */
  discard(): void {
    for (const { scope } of this.#entries.values()) this.#options.store.discard(scope);
  }

  /** Ends; what is committed stays in the store. */
  close(): void {
    this.follow(undefined);
    for (const { undo } of this.#entries.values()) for (const each of undo) each();
    this.#entries.clear();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

  #add(resource: string): void {
    const { pool, store, clock, random, log } = this.#options;
    const scope = poolScope(pool, resource);
    const view = store.view(scope);
    const replica = new ScopeReplica({
      ...{ scope, store, clock, random },
      checks: store.checks(scope),
      log: log.child({ scope }),
    });
    const published = publishedView(view, {
      ready: () => this.#options.mayPublish(),
      catchUp: (signal) => this.#catchUp(resource, signal),
    });
    const entry: Entry = {
      ...{ resource, scope, replica, view, published },
      backoff: new Backoff({ baseMs: RETRY_MS.base, capMs: RETRY_MS.cap, random }),
      undo: [
        view.listen((commit) => this.#onCommit(resource, commit)),
        replica.onSynced(() => this.#onSynced(entry)),
      ],
      following: undefined,
      retryMs: -Infinity,
      synced: undefined,
      syncedMs: -Infinity,
    };
    this.#entries.set(resource, entry);
  }

  #remove(entry: Entry): void {
    this.#unfollow(entry);
    for (const undo of entry.undo) undo();
    this.#entries.delete(entry.resource);
    this.#options.store.forget(entry.scope);
    this.#options.log.info({ resource: entry.resource }, 'is not shared in the pool any more');
  }

  #follow(entry: Entry, source: ScopeSource, nowMs: number): void {
    const handle = source.follower.follow(entry.replica, {
      epoch: source.epoch,
      direct: source.direct,
      onEnded: (code, message) => this.#onEnded(entry, source, code, message),
    });
    if (handle === undefined) entry.retryMs = nowMs + RETRY_MS.base;
    else entry.following = { source, handle };
  }

  #unfollow(entry: Entry): void {
    const { following } = entry;
    entry.following = undefined;
    following?.handle.end();
  }

  #onEnded(entry: Entry, source: ScopeSource, code: string, message: string): void {
    if (this.#entries.get(entry.resource) !== entry || this.#source !== source) return;
    entry.following = undefined;
    entry.retryMs = this.#options.clock.monotonicMs() + entry.backoff.nextMs();
    // What else was begun with is as good as ever: contents are compared by what they are.
    if (ALTERED.has(code)) this.#options.store.discard(entry.scope);
    this.#options.onEnded(source, entry.scope, code, message);
  }

  #onSynced(entry: Entry): void {
    entry.backoff.reset();
    const source = entry.following?.source ?? this.#source;
    if (entry.synced !== source) entry.syncedMs = this.#options.clock.monotonicMs();
    entry.synced = source;
    for (const wake of this.#waiting) wake();
    this.#options.onChange();
  }

  #onCommit(resource: string, commit: PoolCommit): void {
    if (resource === ROSTER) this.#takeRoster();
    this.#options.onCommit(commit, this.#entries.get(resource)?.following?.source);
  }

  /** The resources are those that the roster says. */
  #takeRoster(): void {
    const content = this.#entries.get(ROSTER)?.view.get(poolObjectKey(ROSTER, this.pool));
    const roster = content && readRoster(content);
    if (roster?.pool !== this.pool) return;
    this.#roster = roster;
    const wanted = new Map(roster.resources.map((resource) => [poolResourceName(resource), resource]));
    wanted.delete(ROSTER);
    for (const entry of [...this.#entries.values()])
      if (entry.resource !== ROSTER && !wanted.has(entry.resource)) this.#remove(entry);
    for (const resource of wanted.keys()) if (!this.#entries.has(resource)) this.#add(resource);
    this.#resources = wanted;
    this.#options.onChange();
  }

  /**
   * What is asked before removals are confirmed. A leader has them from the hub, which has confirmed them where the
   * leader had what is removed; where it has only just begun to read, it waits for as long as the hub would have.
   */
  async #catchUp(resource: string, signal: AbortSignal): Promise<void> {
    const { clock, times } = this.#options;
    while (this.#entries.has(resource) && !signal.aborted) {
      const standing = this.standing(resource);
      if (standing?.source === undefined) return;
      const forMs = clock.monotonicMs() - (this.#entries.get(resource)?.syncedMs ?? -Infinity);
      if (standing.synced && forMs >= times().confirmMs) return;
      if (standing.synced) {
        await delay(times().confirmMs - forMs, { clock, signal });
        continue;
      }
      if (this.#waiting.size >= CATCH_UP_LIMIT) return;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    signal.throwIfAborted();
  }
}
