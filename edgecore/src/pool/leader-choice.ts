import type { PoolMembership, PoolRoster, UpstreamAnswers } from '@hawser/sync';
import { compareContenders, type Contender } from './leader-order.ts';
import type { LeaderLink, PeerTarget } from './leader-links.ts';

/** Who leads by the word of the hub. */
export interface Appointed {
  /** Empty: nobody. */
  readonly leader: string;
  /** Empty: not known. */
  readonly endpoint: string;
  readonly epoch: number;
}

/** The latest word of the hub on who leads: its own to this node, what it has signed for all, or what it answered. */
export function appointedBy(
  membership: PoolMembership,
  roster: PoolRoster | undefined,
  claimed: UpstreamAnswers['pool-claim'] | undefined,
): Appointed {
  let latest: { readonly leader: string; readonly epoch: number } = membership;
  for (const word of [roster, claimed]) if (word !== undefined && word.epoch > latest.epoch) latest = word;
  const { leader, epoch } = latest;
  const said = membership.leader === leader ? membership.endpoint : '';
  return { leader, epoch, endpoint: said === '' ? endpointOf(roster, leader) : said };
}

/** Where a member is reached; empty: it is not known. */
export function endpointOf(roster: PoolRoster | undefined, name: string): string {
  return roster?.members.find((member) => member.name === name)?.endpoint ?? '';
}

/** The best of those that go before `mine`; undefined: none does. */
export function rivalOf(mine: Contender, others: readonly Contender[]): Contender | undefined {
  return [...others].filter((other) => compareContenders(other, mine) < 0).sort(compareContenders)[0];
}

/** What the choice of a leader without a cloud goes by. */
export interface OfflineChoice {
  /** The epoch that this node knows: a leader of a lower one is not followed. */
  readonly epoch: number;
  /** Who says that it leads. */
  readonly leaders: readonly Contender[];
  /** Whom others follow, or hand over to. */
  readonly rumours: readonly string[];
  readonly appointed: Appointed;
  readonly current: LeaderLink | undefined;
  /** As contenders are compared; undefined without {@link current}. */
  readonly currentAs: Contender | undefined;
  readonly target: (name: string) => PeerTarget | undefined;
  /** Whether it may be tried now. */
  readonly isDue: (name: string) => boolean;
}

/** Whom to follow where the hub says nothing; undefined: whoever is followed now, or nobody. */
export function chooseOffline(choice: OfflineChoice): PeerTarget | undefined {
  const { epoch, leaders, rumours, appointed, currentAs, target, isDue } = choice;
  const known = [...leaders].filter((leader) => leader.epoch >= epoch).sort(compareContenders);
  if (currentAs !== undefined) {
    const better = known.find((leader) => compareContenders(leader, currentAs) < 0);
    return better && target(better.node);
  }
  const names = [...known.map(({ node }) => node), ...rumours, appointed.leader].filter(
    (name) => name !== '',
  );
  const targets = names.flatMap((name) => target(name) ?? []);
  return targets.find(({ name }) => isDue(name)) ?? targets[0];
}
