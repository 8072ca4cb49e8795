import type { Clock } from '@hawser/seams';
import type { PoolMembership, PoolRoster, UpstreamAnswers } from '@hawser/sync';
import { appointedBy, chooseOffline, endpointOf, type Appointed } from './leader-choice.ts';
import type { LeaderLinks, PeerTarget } from './leader-links.ts';
import type { Contender } from './leader-order.ts';
import type { PeerAnswer } from './peer-messages.ts';
import { contenderOf, PeerTable } from './peer-table.ts';
import type { Elector } from './pool-election.ts';
import type { PoolTimes } from './pool-times.ts';

/** What {@link LeaderKnowledge} is made of. */
export interface LeaderKnowledgeOptions {
  readonly node: string;
  readonly membership: () => PoolMembership;
  readonly roster: () => PoolRoster | undefined;
  readonly links: () => Pick<LeaderLinks, 'current' | 'isDue' | 'isBusy'>;
  readonly times: () => PoolTimes;
  readonly clock: Clock;
}

/** A leader hands over to this node. */
export interface AskedToLead {
  readonly by: string;
  readonly stopping: boolean;
  readonly untilMs: number;
}

/** A leader that is avoided, because what it gave was not what the hub has signed. */
interface Avoided {
  readonly epoch: number;
  readonly untilMs: number;
}

/** What a member knows of who leads: by the word of the hub, of leaders themselves, and of others. */
export class LeaderKnowledge {
  readonly table = new PeerTable();
  readonly #options: LeaderKnowledgeOptions;
  readonly #avoided = new Map<string, Avoided>();
  /** Whom others follow, or hand over to, and until when that counts. */
  readonly #rumours = new Map<string, number>();
  #claimed: UpstreamAnswers['pool-claim'] | undefined;
  #asked: AskedToLead | undefined;
  #appointedName = '';
  #appointedMs = 0;

  constructor(options: LeaderKnowledgeOptions) {
    this.#options = options;
  }

  /** Who leads by the latest word of the hub. */
  get appointed(): Appointed {
    const { membership, roster } = this.#options;
    return appointedBy(membership(), roster(), this.#claimed);
  }

  /** When this node heard of it, monotonic milliseconds. */
  get appointedMs(): number {
    return this.#appointedMs;
  }

  /** undefined: nobody hands over to this node. */
  get asked(): AskedToLead | undefined {
    return this.#asked;
  }

  /** Begins. */
  start(): void {
    this.#appointedMs = this.#now;
  }

  /** Lets go of what is over. Whether the hub has appointed another one since. */
  look(): boolean {
    const nowMs = this.#now;
    for (const [name, untilMs] of this.#rumours) if (nowMs >= untilMs) this.#rumours.delete(name);
    if (this.#asked !== undefined && nowMs >= this.#asked.untilMs) this.#asked = undefined;
    const { leader } = this.appointed;
    if (leader === this.#appointedName) return false;
    this.#appointedName = leader;
    this.#appointedMs = nowMs;
    return true;
  }

  /** What the hub answered to a claim. */
  claimed(answer: UpstreamAnswers['pool-claim']): void {
    this.#claimed = answer;
  }

  /** This node leads: whoever asked it to is content. */
  leads(): void {
    this.#asked = undefined;
  }

  /** A peer has answered. */
  hear({ status, handover }: PeerAnswer): void {
    const { node, times } = this.#options;
    const untilMs = this.#now + times().expiryMs;
    if (status.leader !== status.node) this.#rumour(status.leader, untilMs);
    if (status.leads) this.#rumours.delete(status.node);
    if (handover === node) {
      const { node: by, stopping } = status;
      this.#asked = { by, stopping, untilMs: this.#now + times().handoverMs };
    } else if (status.stopping) this.#rumour(handover, untilMs);
  }

  /** A member could not be reached, or its link broke: a leader may come back, what others say of it leads nowhere. */
  unreached(name: string): void {
    const leads = this.leaders().some((leader) => leader.node === name);
    this.table.unreached(name, this.#now);
    if (leads) this.#rumour(name, this.#now + this.#options.times().returnMs);
    else this.#rumours.delete(name);
  }

  /** What a leader gave was not what the hub has signed. @param epoch in which it led */
  avoid(leader: string, epoch: number): void {
    const untilMs = this.#now + this.#options.times().avoidMs;
    this.#avoided.set(leader, { epoch: Math.max(epoch, this.appointed.epoch), untilMs });
  }

  /** Until the epoch is another one, or for a while. */
  isAvoided(name: string): boolean {
    const avoided = this.#avoided.get(name);
    return avoided !== undefined && avoided.epoch >= this.appointed.epoch && this.#now < avoided.untilMs;
  }

  /** For how long nothing was heard of whom the hub has appointed, milliseconds. */
  silentMs(): number {
    const heardMs = this.table.get(this.appointed.leader)?.heardMs ?? -Infinity;
    return Math.round(this.#now - Math.max(heardMs, this.#appointedMs));
  }

  /** Who says of itself that it leads, and is not avoided. */
  leaders(): readonly Contender[] {
    return this.table.leaders(this.#now, this.#options.times()).filter(({ node }) => !this.isAvoided(node));
  }

  /** All members; one of which the hub does not know where it is, as it says itself. */
  members(): PoolRoster['members'] {
    const members = this.#options.roster()?.members ?? [];
    return members.map((member) => {
      if (member.endpoint !== '') return member;
      return { ...member, endpoint: this.table.get(member.name)?.status.endpoint ?? '' };
    });
  }

  /** All members, as they may be elected. @param mine this node, as contenders are compared */
  electors(mine: Contender): readonly Elector[] {
    return this.members().map(({ name, endpoint, eligible }) => {
      const heard = this.table.get(name);
      // Of whom nothing is known has what this node has.
      const contender =
        heard === undefined || heard.status.version === ''
          ? { ...mine, node: name, provisional: true, heardByCloud: false }
          : contenderOf(heard.status, Infinity, this.#options.times());
      const unreached = this.#isUnreached(name);
      return { name, endpoint, eligible, contender, unreached };
    });
  }

  /** Whom to follow; undefined: whoever is followed now. @param fresh whether the hub is heard: then its word counts alone */
  target(fresh: boolean): PeerTarget | undefined {
    const { node, roster, links, times } = this.#options;
    const { appointed } = this;
    const target = (name: string): PeerTarget | undefined => {
      const known = this.table.get(name)?.status.endpoint ?? '';
      const said = name === appointed.leader ? appointed.endpoint : '';
      const endpoint = said === '' ? endpointOf(roster(), name) || known : said;
      return name === node || endpoint === '' || this.isAvoided(name) ? undefined : { name, endpoint };
    };
    if (fresh) return target(appointed.leader);
    const { current } = links();
    return chooseOffline({
      ...{ appointed, current, target },
      epoch: appointed.epoch,
      leaders: this.leaders(),
      rumours: [...this.#rumours.keys()],
      currentAs: current && contenderOf(current.answer.status, this.#now - current.heardMs, times()),
      // What was tried in vain before, and is tried again, holds up nobody.
      isDue: (name) => links().isDue(name) && !(links().isBusy(name) && this.#isUnreached(name)),
    });
  }

  /** A reason to ask a member, no more. */
  #rumour(name: string, untilMs: number): void {
    const { node, roster } = this.#options;
    const isMember = roster()?.members.some((member) => member.name === name);
    if (name !== node && isMember === true) this.#rumours.set(name, untilMs);
  }

  #isUnreached(name: string): boolean {
    return this.table.isUnreached(name, this.#now, this.#options.times());
  }

  get #now(): number {
    return this.#options.clock.monotonicMs();
  }
}
