import {
  Alarm,
  POOL_RESOURCES,
  poolObjectKey,
  poolResourceName,
  poolScope,
  PoolStore,
  SOLO_PREFIX,
} from '@hawser/sync';
import type {
  ChangeEncoder,
  ClusterIdentity,
  Outbox,
  PoolMembership,
  PoolResource,
  PoolRoster,
  PoolView,
  ReplicaStore,
  UpstreamRequests,
} from '@hawser/sync';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { PoolHub } from '../edge-pool-types.ts';
import { MembershipReader } from './membership-reader.ts';
import type { PeerLink } from './peer-link.ts';
import { PodAddressBook, type PodAddressBookOptions } from './pod-address-book.ts';
import { poolCounters } from './pool-counters.ts';
import { readRoster } from './pool-documents.ts';
import { POOL_NEEDED_KEY } from './pool-needed.ts';
import { PoolRun } from './pool-run.ts';
import { poolStatus } from './pool-status.ts';
import type { PodPlaces, PoolReader, PoolStatus } from './pool-types.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import type { SnapshotStore } from './snapshot-folder.ts';
import { StateChecks } from './state-checks.ts';

/** What keeps small values over restarts. */
export interface PoolMemory {
  get(key: string): Uint8Array | undefined;
  set(key: string, bytes: Uint8Array): Promise<void>;
}

/** What a {@link PoolMember} is made of: all that surrounds it comes from outside. */
export interface PoolMemberOptions {
  readonly node: string;
  /** The node's own scope, and where it is. */
  readonly scope: string;
  readonly replica: Pick<ReplicaStore, 'entries' | 'read' | 'listen'>;
  /** The cluster that this node has accepted; undefined: none yet. */
  readonly life: () => ClusterIdentity | undefined;
  readonly hub: Pick<PoolHub, 'follow' | 'usable' | 'heardMs' | 'ping'>;
  readonly requests: Pick<UpstreamRequests, 'request'>;
  readonly outbox: Pick<Outbox, 'putVolatile' | 'withdraw'>;
  /** The LAN; asked at each handshake who is revoked. */
  readonly link: PeerLink;
  readonly encoder: ChangeEncoder;
  readonly snapshots: SnapshotStore;
  readonly memory: PoolMemory;
  /** Where this node's pods are, and what it signs with. */
  readonly pods: Pick<PodAddressBookOptions, 'own' | 'credentials' | 'wallMs'>;
  /** A leader gave what the hub has not signed: the cloud is to know. */
  readonly onRefused: (leader: string, message: string) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const SEQUENCE_KEY = 'pool-address-sequence';
/** A port that could not be opened is tried again, a disk that did not take a write too. */
const RETRY_MS = 30_000;
/** A pod's address is looked at so often, while the cloud is away. */
const ADDRESS_PERIOD_MS = 1_000;
const MAX_PROBLEMS = 16;

/**
 * This node in its pool, over the pools that it has been in: docs/pool.md. Reads the membership, begins from the
 * snapshots, and runs one `PoolRun` for each pool. A node without a pool is one of its own, once it is {@link needed}.
 */
export class PoolMember implements PoolReader {
  readonly counters = poolCounters();
  readonly #options: PoolMemberOptions;
  readonly #store: PoolStore;
  readonly #checks: StateChecks;
  readonly #membership: MembershipReader;
  readonly #keeper: SnapshotKeeper;
  readonly #book: PodAddressBook;
  readonly #listeners = new Set<() => void>();
  readonly #refused = new Map<string, string>();
  readonly #retry: Alarm;
  #run: PoolRun | undefined;
  #turn: Promise<void> = Promise.resolve();
  #openProblem: string | undefined;
  #needed = false;
  #running = false;
  #stopped: Promise<void> | undefined;

  constructor(options: PoolMemberOptions) {
    const { node, life, replica, scope, snapshots, clock, log } = options;
    this.#options = options;
    this.#checks = new StateChecks(life);
    this.#store = new PoolStore({ check: this.#checks.check });
    this.#membership = new MembershipReader({
      ...{ replica, scope, log },
      onChange: () => this.#onMembership(),
    });
    this.#keeper = new SnapshotKeeper({
      ...{ folder: snapshots, store: this.#store, counters: this.counters, clock, log },
    });
    this.#retry = new Alarm(clock, () => this.#inTurn(() => this.#open()));
    this.#book = new PodAddressBook({
      ...{ ...options.pods, node, clock, log },
      isMember: (name) => this.roster?.members.some((member) => member.name === name) ?? false,
      isRevoked: ({ fingerprint }) => this.isRevoked(fingerprint),
      nextSequence: () => this.#nextSequence(),
      periodMs: () => ADDRESS_PERIOD_MS,
      onChange: () => this.#changed(),
      onNews: () => this.#run?.spread(),
    });
  }

  // ── for readers ────────────────────────────────────────────────────────────────────────────────────────────

  get pool(): string {
    return this.#run?.scopes.pool ?? '';
  }

  get roster(): PoolRoster | undefined {
    return this.#isSolo ? undefined : this.#run?.scopes.roster;
  }

  get cloud(): boolean {
    return this.#run?.view.cloud ?? this.#options.hub.usable;
  }

  resources(): ReadonlyMap<string, PoolResource> {
    return this.#run?.scopes.resources ?? new Map<string, PoolResource>();
  }

  view(resource: string): PoolView | undefined {
    return this.#run?.scopes.view(resource);
  }

  overlay(): PodPlaces {
    return this.#book.addresses();
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ── for operators ──────────────────────────────────────────────────────────────────────────────────────────

  /** The machine in its present pool; undefined: the node is in none. For metrics and tests. */
  get run(): PoolRun | undefined {
    return this.#run;
  }

  /** Bytes of what is committed. */
  get bytes(): number {
    const scopes = this.#run?.scopes;
    if (scopes === undefined) return 0;
    return scopes.names().reduce((sum, name) => sum + this.#store.bytes(poolScope(scopes.pool, name)), 0);
  }

  /** What `hawser pool status` shows; undefined: the node is in no pool, and nobody has asked for one of its own. */
  status(): PoolStatus | undefined {
    const run = this.#run;
    if (run === undefined || run.view.idle) return undefined;
    const { node, clock } = this.#options;
    const bytesOf = (resource: string): number => this.#store.bytes(poolScope(run.scopes.pool, resource));
    return poolStatus(run, { node, clock, bytesOf, problems: this.problems() });
  }

  /** What keeps the pool from being well. */
  problems(): PoolStatus['problems'] {
    const problems = [...this.#refused].map(([leader, message]) => ({
      code: 'ERR_SYNC_FORGED',
      message: `what ${leader} gave was refused: ${message}`,
    }));
    if (this.#openProblem !== undefined)
      problems.push({ code: 'ERR_EDGECORE_POOL_LISTEN', message: this.#openProblem });
    const refusal = this.#run?.direct.refusal;
    if (refusal !== undefined) problems.push({ code: 'ERR_SYNC_REFUSED', message: refusal });
    return problems;
  }

  /** Whether a certificate is on the deny list of the pool. @param fingerprint SHA-256, lower-case hex */
  isRevoked(fingerprint: string): boolean {
    return this.#run?.scopes.roster?.revoked.includes(fingerprint) ?? false;
  }

  // ── life ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves once the replicas are there as the disk has them, and the port is open where it can be. Called once. */
  async start(): Promise<void> {
    this.#running = true;
    this.#needed = this.#options.memory.get(POOL_NEEDED_KEY) !== undefined;
    this.#keeper.start();
    await this.#membership.start();
    await this.#turn;
  }

  /** Hands over, writes snapshots, closes the port. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** The session with the hub may be used, or not any more. */
  setConnected(connected: boolean): void {
    this.#run?.setConnected(connected);
  }

  /** A program has asked for what pools share: a node without a pool begins to read it, and does so after restarts too. */
  needed(): void {
    if (this.#needed) return;
    this.#needed = true;
    const { memory, log } = this.#options;
    memory.set(POOL_NEEDED_KEY, Buffer.from('1')).catch((error: unknown) => {
      log.warn({ err: error }, 'that the local API is used could not be kept');
    });
    this.#run?.soon();
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

  get #isSolo(): boolean {
    return this.pool.startsWith(SOLO_PREFIX);
  }

  #onMembership(): void {
    const { present } = this.#membership;
    if (present !== undefined) {
      const unreadable = this.#checks.use(present);
      if (unreadable.length > 0)
        this.#options.log.warn({ keys: unreadable }, 'keys of the pool cannot be used');
    }
    if (present?.pool === this.#run?.scopes.pool) this.#run?.soon();
    else this.#inTurn(() => this.#change());
  }

  /** The node is in another pool, or in none. */
  async #change(): Promise<void> {
    const { present } = this.#membership;
    if (present?.pool === this.#run?.scopes.pool || !this.#running) return;
    await this.#leave();
    if (present !== undefined) await this.#enter(present);
    this.#changed();
    // It may have been taken back while the former pool was being left.
    if (this.#membership.present?.pool !== present?.pool) this.#inTurn(() => this.#change());
  }

  async #enter({ pool }: PoolMembership): Promise<void> {
    const { log, link } = this.#options;
    const restored = await this.#restore(pool);
    const run = this.#makeRun(pool);
    this.#run = run;
    this.#book.setPool(pool);
    // Before it begins: what it reports first has the port, and each report of another one goes to the whole pool.
    if (!pool.startsWith(SOLO_PREFIX)) await this.#open();
    else await link.close();
    run.start();
    log.info({ pool, restored, version: run.scopes.version }, 'a member of the pool');
  }

  async #leave(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    const { log, link } = this.#options;
    const { pool } = run.scopes;
    log.info({ pool }, 'leaves the pool');
    const names = run.scopes.names();
    await run.stop();
    await link.close();
    this.#retry.cancel();
    this.#openProblem = undefined;
    this.#run = undefined;
    this.#book.setPool('');
    this.#refused.clear();
    for (const name of names) {
      this.#keeper.forget(poolScope(pool, name));
      this.#store.forget(poolScope(pool, name));
    }
    await this.#keepOnly([]);
  }

  /** What the disk has: first the roster, which says what else there is. Answers how many scopes. */
  async #restore(pool: string): Promise<number> {
    const scope = poolScope(pool, POOL_RESOURCES.roster);
    if (!(await this.#keeper.restore(scope))) return 0;
    const content = this.#store.view(scope).get(poolObjectKey(POOL_RESOURCES.roster, pool));
    const resources = (content && readRoster(content)?.resources) ?? [];
    const scopes = resources.map((resource) => poolScope(pool, poolResourceName(resource)));
    let restored = 1;
    for (const each of scopes) if (await this.#keeper.restore(each)) restored += 1;
    await this.#keepOnly([scope, ...scopes]);
    return restored;
  }

  /** What else is there is of resources, or of a pool, of the past. */
  async #keepOnly(scopes: readonly string[]): Promise<void> {
    await this.#options.snapshots.keepOnly(scopes).catch((error: unknown) => {
      this.#options.log.warn({ err: error }, 'old snapshots could not be removed');
    });
  }

  #makeRun(pool: string): PoolRun {
    const { node, hub, requests, outbox, link, encoder, snapshots, clock, random, log } = this.#options;
    const { counters } = this;
    return new PoolRun({
      ...{ node, pool, hub, requests, outbox, link, encoder, counters, clock, random },
      log: log.child({ pool }),
      store: this.#store,
      checks: this.#checks,
      addresses: this.#book,
      membership: () => this.#membership.present ?? { pool, leader: '', endpoint: '', epoch: 0, keys: [] },
      writable: () => snapshots.writable,
      needed: () => this.#needed,
      listener: {
        onCommit: ({ scope, changes }, source) => {
          const bytes = changes.reduce((sum, { content }) => sum + (content?.bytes.length ?? 0), 0);
          counters.receivedBytes[source?.kind ?? 'snapshot'] += bytes;
          // Who comes back without a cloud finds, and lets in, whom its roster names.
          const isRoster = scope === poolScope(pool, POOL_RESOURCES.roster);
          this.#keeper.changed(scope, isRoster && changes.length > 0);
        },
        onChange: () => this.#onRun(),
        onRefused: (leader, message) => this.#onRefused(leader, message),
      },
    });
  }

  async #open(): Promise<void> {
    const { link, log, clock } = this.#options;
    const run = this.#run;
    if (run === undefined || !this.#running) return;
    try {
      await link.open(run.services);
      this.#openProblem = undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (this.#openProblem !== message) log.error({ err: error }, 'the port of the pool cannot be opened');
      this.#openProblem = message;
      this.#retry.setAt(clock.monotonicMs() + RETRY_MS);
    }
    run.soon();
  }

  async #stop(): Promise<void> {
    this.#running = false;
    this.#membership.stop();
    this.#retry.cancel();
    await this.#turn;
    await this.#run?.stop();
    this.#book.stop();
    await this.#options.link.close();
    await this.#keeper.stop();
  }

  #inTurn(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(work).catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the pool could not be entered or left');
    });
  }

  #onRun(): void {
    this.#book.check();
    // A leader that was refused and then followed again gives what is right.
    const source = this.#run?.scopes.source;
    if (source?.kind === 'leader' && this.#run?.scopes.synced === true) this.#refused.delete(source.name);
    this.#changed();
  }

  #onRefused(leader: string, message: string): void {
    if (this.#refused.size < MAX_PROBLEMS) this.#refused.set(leader, message);
    this.#options.onRefused(leader, message);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Above all before it, whatever the clock says. */
  #nextSequence(): number {
    const { memory, clock, log } = this.#options;
    const kept = memory.get(SEQUENCE_KEY);
    const last = kept === undefined ? 0 : Number(Buffer.from(kept).toString());
    const next = Math.max(Number.isSafeInteger(last) ? last + 1 : 1, Math.floor(clock.wallMs()));
    memory.set(SEQUENCE_KEY, Buffer.from(String(next))).catch((error: unknown) => {
      log.warn({ err: error }, 'the number of this node’s addresses could not be kept');
    });
    return next;
  }
}
