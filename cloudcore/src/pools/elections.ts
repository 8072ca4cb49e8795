import { Controller, FailureLimiter, type WorkqueueMetrics } from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import type { UpstreamAnswers, UpstreamBodies } from '@hawser/sync';
import { Refusal } from '../upstream/outcome.ts';
import { best, unfitness, type Candidate } from './candidates.ts';
import type { MemberStates } from './member-states.ts';
import { mayLead, type NodePool } from './node-pool.ts';
import { MAX_POOL_EPOCH, type Leadership } from './pool-lease.ts';
import type { PoolLeases } from './pool-leases.ts';
import type { PoolMetrics } from './pool-metrics.ts';
import type { PoolTable } from './pool-table.ts';
import type { PoolTimes } from './pool-times.ts';

/** Why another one leads, as metrics and Events have it. */
export type ElectionCause =
  'first' | 'expired' | 'left' | 'resigned' | 'unfit' | 'claimed' | 'epoch-reported';

/** Settings of {@link ElectionKeeper}. */
export interface ElectionKeeperOptions {
  readonly table: Pick<PoolTable, 'pool' | 'members' | 'facts'>;
  readonly leases: Pick<PoolLeases, 'get' | 'write' | 'ask' | 'decided' | 'refused'>;
  readonly members: MemberStates;
  /** Id of this replica, other than every other's. */
  readonly replica: string;
  readonly times: PoolTimes;
  /** This replica has appointed a leader; empty: taken the last one away. */
  readonly onElected: (pool: string, leader: string, cause: ElectionCause, before: string) => void;
  readonly metrics: PoolMetrics;
  readonly queueMetrics?: WorkqueueMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A member may make the epoch grow by so much at a time: one that lies cannot use all epochs up. */
const MAX_LEAP = 1_000_000;
const RETRY = { baseMs: 250, capMs: 5_000 };
const NOBODY: Leadership = {
  ...{ leader: '', epoch: 0, replica: '', sinceMs: 0, durationMs: 0 },
  asked: undefined,
};
/** When a claim may come again that another replica is asked about, milliseconds. */
const ASKED_RETRY_MS = 250;

/**
 * Elects the leaders of pools, any number of replicas side by side: docs/pool.md, "Elections with a cloud". Steps for each
 * pool, when its Lease, its members, their sessions or what they say changes, and when a time is over:
 *
 * 1. Nobody is to lead: whoever does is taken out of the Lease.
 * 2. The leader is fit to: the replica that hears it renews the Lease. Where its session here has ended, or the Lease has
 *    run out by this replica's clock, 3.
 * 3. The fit members that have a session here are looked at; the best one is written into the Lease, with an epoch above
 *    all that are known, on top of the version known. Without any the Lease is set free for other replicas.
 *
 * Epochs never go back: this replica remembers the highest one, and members report theirs.
 */
export class ElectionKeeper {
  readonly #options: ElectionKeeperOptions;
  readonly #queue: Controller;
  /** The highest epoch of each pool that was seen or reported. */
  readonly #epochs = new Map<string, number>();
  readonly #renewedMs = new Map<string, number>();
  /** Whom a claim has taken the lead from, and when; until it is heard again. By pool. */
  readonly #deposed = new Map<string, { readonly node: string; readonly atMs: number }>();

  constructor(options: ElectionKeeperOptions) {
    this.#options = options;
    const { clock, queueMetrics, log } = options;
    this.#queue = new Controller({
      name: 'pool-elections',
      workers: 4,
      reconcile: (pool, signal) => this.#reconcile(pool, signal),
      rateLimiter: new FailureLimiter(RETRY),
      onError: (err, pool) =>
        log.warn({ pool, err }, 'the leader of a pool could not be written; trying again'),
      ...(queueMetrics && { metrics: queueMetrics }),
      clock,
    });
  }

  /** Who leads as far as this replica knows. */
  leadership(pool: string): Leadership {
    return this.#options.leases.get(pool)?.leadership ?? { ...NOBODY, epoch: this.#epochs.get(pool) ?? 0 };
  }

  /** Looks at a pool soon; after a time. */
  look(pool: string, afterMs = 0): void {
    const { leader, epoch } = this.#options.leases.get(pool)?.leadership ?? NOBODY;
    this.#remember(pool, epoch);
    if (leader === '' && this.#options.table.pool(pool) === undefined) return;
    this.#queue.enqueueAfter(pool, afterMs);
  }

  /** A member has said which epoch it has seen. */
  reported(pool: string, epoch: number): void {
    this.#remember(
      pool,
      Math.min(epoch, (this.#epochs.get(pool) ?? 0) + MAX_LEAP, MAX_POOL_EPOCH - MAX_LEAP),
    );
  }

  /** Idempotent. */
  start(): void {
    this.#queue.start();
  }

  /** Resolves when nothing is under way; Leases stay as they are. Idempotent. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }

  /**
   * A member wants to lead in place of one that is away.
   * @throws Refusal 409 state: the leader is there, or this one may not lead; the errors of `ApiClient`
   */
  async claim(
    node: string,
    { pool: name, epoch, silentMs }: UpstreamBodies['pool-claim'],
    signal: AbortSignal,
  ): Promise<UpstreamAnswers['pool-claim']> {
    const { table, members, times } = this.#options;
    const pool = table.pool(name);
    const unfit = this.#unfit(node, pool);
    if (pool?.elects !== true) throw new Refusal(409, 'state', `the pool ${name} has no leader`);
    if (unfit !== undefined) throw new Refusal(409, 'state', `${node} may not lead: ${unfit}`);
    this.reported(name, epoch);
    const now = this.leadership(name);
    if (now.leader === node || now.epoch > epoch) return answer(now);
    const bound = silentMs === 0 ? times.handoverMs : times.silentMs;
    const heardMs = now.leader === '' ? Infinity : this.#unheardMs(name, now.leader);
    if (heardMs < bound) {
      const isElsewhere = !members.isHere(now.leader) && now.replica !== this.#options.replica;
      if (isElsewhere) await this.#ask(name, node, silentMs === 0 ? 'handover' : 'claim', signal);
      const message = `${now.leader} leads ${name} in epoch ${now.epoch}, and was heard ${Math.round(heardMs)} ms ago`;
      throw new Refusal(409, 'state', message, isElsewhere ? ASKED_RETRY_MS : Math.ceil(bound - heardMs));
    }
    if (!members.isHere(node)) throw new Refusal(503, 'ended', 'the session has ended');
    await this.#appoint(name, node, 'claimed', signal);
    return answer(this.leadership(name));
  }

  /** The replica that has the leader's session knows whether it is there. */
  async #ask(name: string, node: string, kind: 'claim' | 'handover', signal: AbortSignal): Promise<void> {
    const { asked } = this.leadership(name);
    if (asked?.node === node && asked.kind === kind) return;
    await this.#options.leases.ask(name, { node, kind }, signal);
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<void> {
    const { table, leases } = this.#options;
    if (!leases.decided || leases.refused) return;
    const pool = table.pool(name);
    const { leader } = this.leadership(name);
    if (pool?.elects !== true || table.members(name).length === 0) {
      if (leader !== '') await this.#appoint(name, '', 'left', signal);
      return;
    }
    const cause = leader === '' ? 'first' : this.#causeAgainst(name, leader, pool);
    if (cause === undefined) await this.#keep(name, leader, signal);
    else await this.#elect(name, pool, leader, cause, signal);
  }

  /** Why the leader is not to go on; undefined: it may. */
  #causeAgainst(name: string, leader: string, pool: NodePool): ElectionCause | undefined {
    const { table, members, leases, times, replica, clock } = this.#options;
    if (!table.members(name).includes(leader)) return 'left';
    const report = members.report(leader);
    if (members.isHere(leader)) {
      if (report?.resign === true) return 'resigned';
      const isFit = report === undefined || this.#unfit(leader, pool) === undefined;
      if (!isFit || !this.#isSelected(leader, pool)) return 'unfit';
      return this.#isOutclaimed(name, leader) ? 'claimed' : undefined;
    }
    if (!this.#isSelected(leader, pool)) return 'unfit';
    const known = leases.get(name);
    const seenMs = known === undefined ? Infinity : clock.monotonicMs() - known.seenMs;
    if (seenMs > times.leaseMs) return 'expired';
    const goneMs = members.goneMs(leader);
    // Another replica that has its session now has renewed the Lease since.
    const isOurs = known?.leadership.replica === replica;
    return isOurs && goneMs !== undefined && goneMs >= times.comeBackMs ? 'expired' : undefined;
  }

  /** Whether another replica asks for a leader that has gone silent here. */
  #isOutclaimed(name: string, leader: string): boolean {
    const { members, times } = this.#options;
    const { asked } = this.leadership(name);
    if (asked === undefined) return false;
    const bound = asked.kind === 'handover' ? times.handoverMs : times.silentMs;
    return (members.silentMs(leader) ?? Infinity) >= bound;
  }

  /** Renews the Lease of a leader that is heard here; comes back when there is something to look at. */
  async #keep(name: string, leader: string, signal: AbortSignal): Promise<void> {
    const { members, leases, times, replica, clock } = this.#options;
    const known = leases.get(name);
    if (!members.isHere(leader)) {
      const goneMs = members.goneMs(leader);
      const isOurs = known?.leadership.replica === replica && goneMs !== undefined;
      const leftMs = times.leaseMs - (clock.monotonicMs() - (known?.seenMs ?? 0));
      this.#queue.enqueueAfter(name, Math.max(1, isOurs ? times.comeBackMs - goneMs : leftMs + 1));
      return;
    }
    const isBehind = (this.#epochs.get(name) ?? 0) > (known?.leadership.epoch ?? 0);
    if (isBehind) {
      await this.#appoint(name, leader, 'epoch-reported', signal);
      return;
    }
    const nowMs = clock.monotonicMs();
    const dueMs = (this.#renewedMs.get(name) ?? -Infinity) + times.renewMs;
    const isOurs = known?.leadership.replica === replica;
    const isHeard = (members.silentMs(leader) ?? Infinity) < times.silentMs;
    const isAsked = known?.leadership.asked !== undefined;
    if (isHeard && (!isOurs || isAsked || nowMs >= dueMs)) {
      await this.#write(name, leader, this.leadership(name).epoch, signal);
      this.#renewedMs.set(name, nowMs);
    }
    this.#queue.enqueueAfter(name, isHeard ? times.renewMs : times.renewMs / 4);
  }

  async #elect(
    name: string,
    pool: NodePool,
    before: string,
    cause: ElectionCause,
    signal: AbortSignal,
  ): Promise<void> {
    const { members, replica } = this.#options;
    // A member that is elsewhere wants it: its replica knows it better.
    const asked = cause === 'claimed' ? this.leadership(name).asked : undefined;
    const chosen = asked === undefined ? best(this.#candidates(name, pool)) : undefined;
    if (chosen !== undefined) {
      await this.#appoint(name, chosen.node, cause, signal);
      return;
    }
    // Who has no candidate leaves it to others; where the leader was here, they cannot know that it is gone.
    const knows = members.isHere(before) || this.leadership(name).replica === replica || cause !== 'expired';
    if (before !== '' && knows) await this.#appoint(name, '', cause, signal);
  }

  #candidates(name: string, pool: NodePool): readonly Candidate[] {
    const { table, members, times } = this.#options;
    return table.members(name).flatMap((node) => {
      const report = members.report(node);
      const isAlive = members.isAlive(node, times.silentMs) && !this.#isDeposed(name, node);
      return report !== undefined && isAlive && this.#unfit(node, pool) === undefined
        ? [{ node, report }]
        : [];
    });
  }

  #isDeposed(name: string, node: string): boolean {
    const { members, clock } = this.#options;
    const deposed = this.#deposed.get(name);
    if (deposed?.node !== node) return false;
    return clock.monotonicMs() - (members.silentMs(node) ?? Infinity) <= deposed.atMs;
  }

  /** Writes a leader with an epoch of its own; empty: none, and the epoch stays. */
  async #appoint(name: string, leader: string, cause: ElectionCause, signal: AbortSignal): Promise<void> {
    const { onElected, metrics, log, clock } = this.#options;
    const before = this.leadership(name);
    const highest = Math.max(before.epoch, this.#epochs.get(name) ?? 0);
    const epoch = leader === '' ? highest : highest + 1;
    if (!(await this.#write(name, leader, epoch, signal))) {
      // Somebody else was first: what is there now is looked at.
      this.#queue.enqueue(name);
      return;
    }
    this.#renewedMs.set(name, clock.monotonicMs());
    if (cause === 'claimed') this.#deposed.set(name, { node: before.leader, atMs: clock.monotonicMs() });
    metrics.elections.inc({ cause });
    log.info({ pool: name, leader, epoch, before: before.leader, cause }, 'a pool has another leader');
    onElected(name, leader, cause, before.leader);
    this.look(name, this.#options.times.renewMs);
  }

  async #write(name: string, leader: string, epoch: number, signal: AbortSignal): Promise<boolean> {
    const { leases, table, replica, times } = this.#options;
    const leaseSeconds = Math.max(1, Math.ceil(times.leaseMs / 1000));
    return leases.write(table.pool(name), name, { leader, epoch, replica, leaseSeconds }, signal);
  }

  /** For how long nothing was heard of a leader, here or by its Lease. */
  #unheardMs(name: string, leader: string): number {
    const { members, leases, clock } = this.#options;
    if (members.isHere(leader)) return members.silentMs(leader) ?? 0;
    const known = leases.get(name);
    const renewedMs = known === undefined ? Infinity : clock.monotonicMs() - known.seenMs;
    const goneMs = members.silentMs(leader);
    const isOurs = known?.leadership.replica === this.#options.replica;
    return isOurs && goneMs !== undefined ? goneMs : renewedMs;
  }

  #unfit(node: string, pool: NodePool | undefined): string | undefined {
    if (pool === undefined) return 'its pool is gone';
    return unfitness(this.#options.members.report(node), this.#isSelected(node, pool));
  }

  #isSelected(node: string, pool: NodePool): boolean {
    const facts = this.#options.table.facts(node);
    return facts !== undefined && mayLead(pool, facts.labels);
  }

  #remember(pool: string, epoch: number): void {
    if (epoch > (this.#epochs.get(pool) ?? 0)) this.#epochs.set(pool, epoch);
  }
}

function answer({ epoch, leader }: Leadership): UpstreamAnswers['pool-claim'] {
  return { epoch, leader };
}
