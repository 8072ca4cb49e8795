import type { Clock } from '@hawser/seams';
import type { Appointed } from './leader-choice.ts';
import { rivalOf } from './leader-choice.ts';
import type { AskedToLead } from './leader-knowledge.ts';
import type { Contender } from './leader-order.ts';
import type { PoolTimes } from './pool-times.ts';
import type { PoolState } from './pool-types.ts';

/** What {@link LeaderRole} goes by. */
export interface LeaderRoleOptions {
  readonly node: string;
  readonly times: () => PoolTimes;
  readonly clock: Clock;
}

/** This node leads. */
interface Leading {
  epoch: number;
  provisional: boolean;
  /** It gives what it has: once, and from then on. */
  ready: boolean;
  /** Monotonic milliseconds. */
  readonly sinceMs: number;
}

/** Why a leader leads no longer. */
export interface EndOfLead {
  /** In words. */
  readonly why: string;
  /** Who leads in its place; empty: nobody that it knows. */
  readonly to: string;
}

/** Why this node begins to lead. */
export interface BeginOfLead {
  /** In words. */
  readonly why: string;
  /** Not by the word of the hub. */
  readonly provisional: boolean;
}

/** What decides over whether this node begins to lead, and goes on leading. */
export interface LeaderCircumstances {
  readonly appointed: Appointed;
  /** Who hands over to this node; undefined: nobody does. */
  readonly asked: AskedToLead | undefined;
  /** Whether the hub is heard. */
  readonly fresh: boolean;
  readonly mayLead: boolean;
  /** Whether the pool has chosen this node by itself. */
  readonly isElected: boolean;
  /** This node, as contenders are compared. */
  readonly mine: () => Contender;
  /** Others that say that they lead. */
  readonly leaders: () => readonly Contender[];
}

/** This node as the leader of its pool, or not: since when, in which epoch, by whose word, and what ends it. */
export class LeaderRole {
  readonly #options: LeaderRoleOptions;
  #leading: Leading | undefined;
  /** The hub has ended this node's leadership of this epoch: not again before. */
  #deposed: { readonly epoch: number; readonly untilMs: number } | undefined;
  /** Before it this node does not lead again, monotonic milliseconds. */
  #fromMs = -Infinity;
  #isRefused = false;
  /** Whom this node has just given way to. */
  #gaveWay = { to: '', untilMs: -Infinity };

  constructor(options: LeaderRoleOptions) {
    this.#options = options;
  }

  /** undefined: this node does not lead. */
  get leading(): Readonly<Leading> | undefined {
    return this.#leading;
  }

  /** Whom this node has just given way to, for those that followed it; empty: nobody that it knows. */
  get successor(): string {
    return this.#options.clock.monotonicMs() < this.#gaveWay.untilMs ? this.#gaveWay.to : '';
  }

  begin(epoch: number, provisional: boolean): void {
    const sinceMs = this.#options.clock.monotonicMs();
    this.#leading = { epoch, provisional, ready: false, sinceMs };
    this.#isRefused = false;
  }

  /** It gives what it has from now on. */
  becomeReady(): void {
    if (this.#leading !== undefined) this.#leading.ready = true;
  }

  /**
   * @param to who leads in its place; empty: nobody that is known
   * @returns before when it does not lead again, monotonic milliseconds: whatever spoke for another one is to count for a moment
   */
  end(to: string): number {
    const { clock, times } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#leading = undefined;
    this.#isRefused = false;
    this.#gaveWay = { to, untilMs: nowMs + times().returnMs };
    this.#fromMs = nowMs + times().rankMs;
    return this.#fromMs;
  }

  /** The hub has ended the leadership of this epoch. */
  depose(epoch: number): void {
    this.#deposed = { epoch, untilMs: this.#options.clock.monotonicMs() + this.#options.times().returnMs };
  }

  isDeposed(epoch: number): boolean {
    return this.#deposed?.epoch === epoch && this.#options.clock.monotonicMs() < this.#deposed.untilMs;
  }

  /** The hub has refused a claim: another one is there. */
  refused(): void {
    this.#isRefused = true;
  }

  /** Takes what the hub says anew of this node's own leadership. Whether there was anything. */
  renew({ appointed: { leader, epoch }, fresh }: LeaderCircumstances): boolean {
    const leading = this.#leading;
    if (leading === undefined || leader !== this.#options.node || this.isDeposed(epoch)) return false;
    const isNew = epoch > leading.epoch || (epoch === leading.epoch && leading.provisional && fresh);
    if (isNew) Object.assign(leading, { epoch, provisional: false });
    return isNew;
  }

  /** Why this node is to begin to lead now; undefined: it is not. */
  whyBegin({ appointed, asked, fresh, mayLead, isElected }: LeaderCircumstances): BeginOfLead | undefined {
    const { node, clock } = this.#options;
    if (!mayLead || this.#leading !== undefined || clock.monotonicMs() < this.#fromMs) return undefined;
    const isMine = appointed.leader === node && !this.isDeposed(appointed.epoch);
    if (fresh) return isMine ? { why: 'the hub has appointed it', provisional: false } : undefined;
    if (asked?.stopping === true) return { why: `${asked.by} has handed over`, provisional: !isMine };
    return isElected ? { why: 'nobody else leads', provisional: !isMine } : undefined;
  }

  /** Why this node is to lead no longer, and whom it gives way to, if anybody; undefined: it goes on. */
  whyNot({ appointed, fresh, mayLead, mine, leaders }: LeaderCircumstances): EndOfLead | undefined {
    const leading = this.#leading;
    if (leading === undefined) return undefined;
    const { leader, epoch } = appointed;
    if (!mayLead) return { why: 'it may not lead any more', to: '' };
    const shown = leader === '' ? 'nobody' : leader;
    const isOther = leader !== this.#options.node || this.isDeposed(epoch);
    if (isOther && epoch > leading.epoch && (leader !== '' || !leading.provisional))
      return { why: `${shown} leads by epoch ${epoch}`, to: leader };
    const isOverruled = leading.provisional ? this.#isRefused : leader !== this.#options.node;
    if (fresh && isOverruled) return { why: `${shown} leads by the word of the hub`, to: leader };
    const rival = rivalOf(mine(), leaders());
    if (rival === undefined) return undefined;
    const { node: to, epoch: other, version } = rival;
    return { why: `${to} leads with epoch ${other}, version ${version}`, to };
  }

  /** LIVE while its streams are; before it is ready it is as whoever has no leader. @param fresh whether the hub is heard */
  state(fresh: boolean): PoolState | undefined {
    if (this.#leading === undefined) return undefined;
    const { provisional, ready, sinceMs } = this.#leading;
    const { clock, times } = this.#options;
    if (!ready) return clock.monotonicMs() < sinceMs + times().graceMs ? 'GRACE' : 'STALE';
    return !provisional && fresh ? 'LIVE' : 'STALE';
  }
}
