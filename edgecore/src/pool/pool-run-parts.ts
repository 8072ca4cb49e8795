import { SOLO_PREFIX, type UpstreamBodies } from '@hawser/sync';
import { DirectAccess } from './direct-access.ts';
import { HubPulse } from './hub-pulse.ts';
import { HubWords } from './hub-words.ts';
import { LeaderDuties } from './leader-duties.ts';
import { LeaderKnowledge } from './leader-knowledge.ts';
import { LeaderLinks, type LeaderLinksOptions, type PeerTarget } from './leader-links.ts';
import { LeaderRole } from './leader-role.ts';
import { LostLeader } from './lost-leader.ts';
import type { PeerAnswer, PeerStatus } from './peer-messages.ts';
import { PeerServices, type PeerServicesOptions } from './peer-services.ts';
import { PeerWords } from './peer-words.ts';
import { PoolElection } from './pool-election.ts';
import type { PoolRunOptions } from './pool-run-types.ts';
import { PoolScopes, type PoolScopesOptions } from './pool-scopes.ts';
import { PoolTeller } from './pool-teller.ts';
import type { PoolTimes } from './pool-times.ts';
import { SourceChoice } from './scope-source.ts';
import { isSameLife } from './state-checks.ts';

/** What the parts of a machine ask it for, and tell it. */
export interface RunHooks {
  readonly times: () => PoolTimes;
  /** Look at everything: something has changed. */
  readonly soon: () => void;
  readonly status: () => PeerStatus;
  readonly leads: () => boolean;
  /** The member that is asked to take over; empty: nobody. */
  readonly handover: () => string;
  readonly cloud: () => boolean;
  readonly stopping: () => boolean;
  readonly onScopes: () => void;
  readonly onScopeEnded: PoolScopesOptions['onEnded'];
  readonly onAnswer: (answer: PeerAnswer) => void;
  readonly onCurrent: LeaderLinksOptions['onCurrent'];
}

/** The parts of a `PoolRun`: what it looks at, and what it acts by. */
export interface RunParts {
  readonly scopes: PoolScopes;
  readonly knowledge: LeaderKnowledge;
  readonly role: LeaderRole;
  readonly lost: LostLeader;
  readonly source: SourceChoice;
  readonly words: PeerWords;
  readonly services: PeerServices;
  readonly links: LeaderLinks;
  readonly election: PoolElection;
  readonly duties: LeaderDuties;
  readonly pulse: HubPulse;
  readonly hubWords: HubWords;
  readonly direct: DirectAccess;
  readonly teller: PoolTeller;
}

/** What a follower is told that reads from a node that does not lead. */
export const NOT_LEADING = 'ERR_CLOUDCORE_NOT_LEADER';
/** … and one that reads what was signed in another life of the cluster than it has accepted. */
export const OTHER_LIFE = 'ERR_SYNC_OTHER_LIFE';

/** Makes the parts, and joins them. Nothing of it has begun. */
export function makeRunParts(options: PoolRunOptions, hooks: RunHooks): RunParts {
  const { node, pool, hub, requests, outbox, link, store, checks, encoder, counters, listener } = options;
  const { addresses, clock, random, log } = options;
  const shared = { times: hooks.times, onChange: hooks.soon, clock, random, log };
  const role = new LeaderRole({ ...shared, node });
  const scopes = new PoolScopes({
    ...{ pool, store, check: checks.check, times: hooks.times, clock, random, log },
    onEnded: hooks.onScopeEnded,
    onCommit: (commit, source) => listener.onCommit(commit, source),
    onChange: hooks.onScopes,
    mayPublish: () => hooks.leads() && role.leading?.ready === true,
  });
  const knowledge: LeaderKnowledge = new LeaderKnowledge({
    ...{ ...shared, node, membership: options.membership },
    roster: () => scopes.roster,
    links: () => links,
  });
  const words = new PeerWords({
    ...{ pool, scopes, table: knowledge.table, addresses, clock, log },
    ...{ status: hooks.status, handover: hooks.handover },
    sharesAddresses: () => !hooks.cloud(),
  });
  const services = new PeerServices({
    ...{ node, encoder, confirmAfterMs: 0, clock, log },
    roster: () => scopes.roster,
    published: publisherOf(options, scopes, knowledge, hooks),
    answer: (message, peer) => words.answer(message, peer, hooks.soon),
    onChange: hooks.soon,
    onBytes: (bytes) => (counters.lanBytes.out += bytes),
  });
  const links = new LeaderLinks({
    ...{ ...shared, link, onAnswer: hooks.onAnswer, onCurrent: hooks.onCurrent },
    onUnreached: (peer) => knowledge.unreached(peer),
    message: (peer) => words.message(peer),
    onBytes: (bytes) => (counters.lanBytes.in += bytes),
  });
  const ask = (target: PeerTarget, timeoutMs: number): Promise<PeerAnswer | undefined> =>
    links.ask(target, timeoutMs);
  const report = (): UpstreamBodies['pool-report'] | undefined => {
    if (pool.startsWith(SOLO_PREFIX)) return undefined;
    const peers = new Set(services.peers);
    if (links.current !== undefined) peers.add(links.current.name);
    const resign = hooks.stopping();
    return {
      pool,
      endpoint: resign ? '' : link.endpoint,
      epoch: knowledge.appointed.epoch,
      version: scopes.version,
      complete: scopes.complete,
      writable: options.writable(),
      peers: peers.size,
      ...(resign && { resign: true as const }),
    };
  };
  const hubWords = new HubWords({
    ...{ ...shared, requests, outbox },
    report,
    place() {
      if (role.leading !== undefined) return 'leading';
      return links.current === undefined ? 'searching' : 'following';
    },
    onClaimed: (answer) => knowledge.claimed(answer),
    onRefused: () => role.refused(),
  });
  return {
    ...{ scopes, knowledge, role, words, services, links, hubWords },
    lost: new LostLeader({ ...shared, leaderless: () => options.membership().leaderless === true }),
    source: new SourceChoice(hub),
    election: new PoolElection({ ...shared, ask, isBusy: (name) => links.isBusy(name) }),
    duties: new LeaderDuties({
      ...{ ...shared, node, ask },
      members: () => knowledge.members(),
      heard: (name) => knowledge.table.get(name),
      followers: () => services.peers,
      nudge: (peer) => services.nudge(peer),
    }),
    pulse: new HubPulse({ ...shared, hub }),
    direct: new DirectAccess({ ...shared, words: hubWords }),
    teller: new PoolTeller({
      ...{ clock, log },
      onChange: (cloud) => {
        addresses.setCloud(cloud);
        listener.onChange();
      },
      onDirect: () => (counters.directs += 1),
    }),
  };
}

/** What followers are given: scopes of this pool, by a node that leads it. */
function publisherOf(
  { node, pool, checks }: Pick<PoolRunOptions, 'node' | 'pool' | 'checks'>,
  scopes: PoolScopes,
  { table }: Pick<LeaderKnowledge, 'table'>,
  { leads }: Pick<RunHooks, 'leads'>,
): PeerServicesOptions['published'] {
  const prefix = `${pool}/`;
  return (kind, name, peer) => {
    const resource = kind === 'pool' && name.startsWith(prefix) ? name.slice(prefix.length) : '';
    const published = scopes.published(resource);
    if (published === undefined)
      return { code: 'ERR_CLOUDCORE_FORBIDDEN', why: `${kind}/${name} is not to be had here` };
    if (!leads()) return { code: NOT_LEADING, why: `${node} does not lead` };
    // Neither of two lives takes what is signed in the other one.
    const isSigned = scopes.isOf(resource, checks.life);
    if (isSigned && isSameLife(table.get(peer)?.status.life ?? '', checks.life)) return published;
    return { code: OTHER_LIFE, why: `${node} has ${name} of another life of the cluster` };
  };
}
