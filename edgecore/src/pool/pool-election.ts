import type { Clock, Random } from '@hawser/seams';
import { compareContenders, type Contender } from './leader-order.ts';
import type { PeerTarget } from './leader-links.ts';
import type { PeerAnswer } from './peer-messages.ts';
import { contenderOf } from './peer-table.ts';
import type { PoolTimes } from './pool-times.ts';

/** A member that may be asked in an election. */
export interface Elector extends PeerTarget {
  /** Whether it may lead. */
  readonly eligible: boolean;
  /** As it was heard of last; its version may be one that is not known. */
  readonly contender: Contender;
  /** Whether it was tried in vain since it was heard last. */
  readonly unreached: boolean;
}

/** What a {@link PoolElection} is made of. */
export interface PoolElectionOptions {
  /** Asks a member what it knows; undefined: it does not answer. */
  readonly ask: (target: PeerTarget, timeoutMs: number) => Promise<PeerAnswer | undefined>;
  /** Whether a member is being asked already, or dialled. */
  readonly isBusy: (name: string) => boolean;
  readonly times: () => PoolTimes;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly random: Random;
}

/** Members that are asked in one round: those that go before this one, and some of the others. */
const MAX_ASKED = { above: 16, below: 4 } as const;
/** Rounds in which somebody above may say that it is about to lead, and not do so. */
const PATIENCE_ROUNDS = 3;

/**
 * How a pool without a cloud finds its leader: docs/pool.md, "Without a cloud". A member asks those above it, and leads
 * where none of them does or will, once it has waited for its rank among those that can be reached. Whoever leads shows in the
 * answers, which the member hears of itself: all but the first ask a moment later, so that there is somebody to find.
 */
export class PoolElection {
  readonly #options: PoolElectionOptions;
  #startedMs: number | undefined;
  #round = 0;
  /** Rounds in which nothing held this node up but that somebody above is about to lead. */
  #waited = 0;
  #nextMs = -Infinity;
  /** When the last round began that has found nobody who leads or will, monotonic milliseconds; undefined: it found somebody. */
  #clearMs: number | undefined;
  #asking = false;
  #won = false;

  constructor(options: PoolElectionOptions) {
    this.#options = options;
  }

  /** Whether it goes on. */
  get running(): boolean {
    return this.#startedMs !== undefined;
  }

  /** Whether this node is to lead. */
  get won(): boolean {
    return this.#won;
  }

  /** Goes on with it, or begins. @returns when to look again, monotonic milliseconds */
  look(me: Elector, others: readonly Elector[]): number {
    const { clock, times, random, onChange } = this.#options;
    const nowMs = clock.monotonicMs();
    const rank = others.filter((other) => !other.unreached && isAbove(other, me)).length;
    if (this.#startedMs === undefined) {
      this.#startedMs = nowMs;
      this.#nextMs = rank === 0 ? nowMs : nowMs + times().rankMs * random.next();
    }
    if (this.#asking || this.#won) return Infinity;
    const turnMs = this.#startedMs + rank * times().rankMs;
    if (me.eligible && this.#clearMs !== undefined && this.#clearMs >= turnMs) {
      this.#won = true;
      onChange();
      return Infinity;
    }
    if (nowMs < this.#nextMs) return this.#nextMs;
    void this.#askAround(me, others);
    return Infinity;
  }

  /** There is a leader, or a cloud: nobody is to be elected. */
  end(): void {
    this.#startedMs = undefined;
    this.#clearMs = undefined;
    this.#round = 0;
    this.#waited = 0;
    this.#won = false;
  }

  async #askAround(me: Elector, others: readonly Elector[]): Promise<void> {
    const { ask, times, clock, onChange } = this.#options;
    const startedMs = this.#startedMs;
    this.#asking = true;
    const askedMs = clock.monotonicMs();
    const asked = this.#whomToAsk(me, others);
    const isWaitedFor = asked.some(({ name, unreached }) => !unreached && this.#options.isBusy(name));
    const answers = await Promise.all(asked.map((other) => ask(other, times().askMs)));
    this.#asking = false;
    if (this.#startedMs !== startedMs) return;
    this.#round += 1;
    const isHeldUp = isWaitedFor && this.#round <= PATIENCE_ROUNDS;
    this.#clearMs = isHeldUp || this.#isThereAnother(me, asked, answers) ? undefined : clock.monotonicMs();
    this.#nextMs = Math.max(askedMs + times().roundMs, clock.monotonicMs() + times().askMs / 2);
    onChange();
  }

  #whomToAsk(me: Elector, others: readonly Elector[]): readonly Elector[] {
    const { random } = this.#options;
    const reachable = others.filter(({ endpoint }) => endpoint !== '');
    const above = reachable.filter((other) => isAbove(other, me)).sort(byReach);
    const below = reachable.filter((other) => !isAbove(other, me));
    const some = below
      .map((other) => ({ other, dice: random.next() }))
      .sort((one, another) => one.dice - another.dice)
      .map(({ other }) => other);
    return [...above.slice(0, MAX_ASKED.above), ...some.slice(0, MAX_ASKED.below)];
  }

  /** Whether one of those that were asked leads, is about to, or follows somebody whom this node has to find. */
  #isThereAnother(
    me: Elector,
    asked: readonly Elector[],
    answers: readonly (PeerAnswer | undefined)[],
  ): boolean {
    let isAboutTo = false;
    for (const [index, answer] of answers.entries()) {
      const elector = asked[index];
      if (answer === undefined || elector === undefined) continue;
      const { status } = answer;
      const contender = contenderOf(status, 0, this.#options.times());
      if (status.leads && !status.stopping && status.epoch >= me.contender.epoch) return true;
      // It follows somebody whom this node has not found yet.
      const follows = status.leader !== '' && status.leader !== me.name && status.leader !== status.node;
      if (follows && status.state === 'LIVE' && this.#round <= PATIENCE_ROUNDS) return true;
      isAboutTo ||= status.electing && elector.eligible && compareContenders(contender, me.contender) < 0;
    }
    // What has held up all of them is not counted: when it ends, they would all lead at once.
    if (isAboutTo) this.#waited += 1;
    return isAboutTo && this.#waited <= PATIENCE_ROUNDS;
  }
}

/** The best first; those that were tried in vain where there is room. */
function byReach(one: Elector, other: Elector): number {
  return Number(one.unreached) - Number(other.unreached) || compareContenders(one.contender, other.contender);
}

function isAbove(other: Elector, me: Elector): boolean {
  return other.eligible && compareContenders(other.contender, me.contender) < 0;
}
