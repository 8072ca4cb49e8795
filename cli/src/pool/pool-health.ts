import type { PoolStatus } from '@hawser/edgecore/admin';
import { formatSpan, formatTime } from '../output/times.ts';
import type { Finding } from '../status/health.ts';

/** How old what is known of the cloud may be while all is well, seconds: more than a leader takes to notice and hand over. */
const OLD_SECONDS = 60;
/** A member of which a leader has heard nothing for so long is away: three heartbeats, and some. */
const SILENT_SECONDS = 30;
/** What a pool needs to have a leader. */
const ELIGIBLE =
  'See that a member is eligible: its LAN port open (pool.listen), an address that is not loopback, its disk writable, its labels those of the NodePool.';

/** Everything that keeps a pool from being well, as this member sees it, the most urgent first; empty: it is well. */
export function poolFindings(status: PoolStatus, nowMs: number): readonly Finding[] {
  return [...ofState(status, nowMs), ...ofProblems(status), ...ofResources(status), ...ofMembers(status)];
}

function ofState(status: PoolStatus, nowMs: number): readonly Finding[] {
  const { state, leader, epoch, provisional, ageSeconds } = status;
  const since = `${formatTime(status.since)}, ${formatSpan(nowMs - Date.parse(status.since))} ago`;
  const age = ageSeconds === undefined ? 'never' : `${formatSpan(ageSeconds * 1000)} ago`;
  switch (state) {
    case 'STALE':
      return [
        {
          what: `Neither the cloud nor a leader that hears it is reached since ${since}. Programs here read the pool as it was; the cloud was last heard ${age}.`,
          remedy: `Look at the way to the cloud (hawser status), and at the LAN${endpointHint(status)}. Nothing is lost: it goes on by itself.`,
        },
      ];
    case 'GRACE':
      if (epoch === 0) {
        return [
          {
            what: `No leader of the pool has been heard of yet, since ${since}.`,
            remedy: `Wait for half a minute. ${ELIGIBLE}`,
          },
        ];
      }
      return [
        {
          what: `The leader ${leader || 'of the pool'} is silent since ${since}. Programs here read the pool as it was; another leader is being found.`,
          remedy: `Wait for half a minute. If it stays so: see whether edgecore runs at ${leader || 'the other members'}${endpointHint(status)}.`,
        },
      ];
    case 'DIRECT':
      return [
        {
          what: `No leader is reached over the LAN since ${since}: this node has the pool from the cloud by itself, for a while.`,
          remedy: `Look at the LAN between this node and ${leader || 'the other members'}${endpointHint(status)}.`,
        },
      ];
    case 'LIVE': {
      if (leader === '') {
        return [
          {
            what: `The pool has no leader since ${since}.`,
            remedy: ELIGIBLE,
          },
        ];
      }
      const old = ageSeconds === undefined || ageSeconds > OLD_SECONDS;
      if (!provisional && !old) return [];
      const who = provisional
        ? `The pool leads itself (${leader}), without the cloud`
        : `${leader} leads, and does not hear the cloud`;
      return [
        {
          what: `${who}: what is read here is as the cloud last said it, ${age}.`,
          remedy: `Look at the way from ${leader} to the cloud: hawser status there.`,
        },
      ];
    }
  }
}

/** What to try, where it is known how the leader is reached. */
function endpointHint({ leader, node, members }: PoolStatus): string {
  const endpoint = leader === node ? '' : (members.find(({ name }) => name === leader)?.endpoint ?? '');
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(endpoint) ?? [];
  return host === undefined || port === undefined ? '' : ` (nc -vz ${host} ${port})`;
}

function ofProblems({ problems }: PoolStatus): readonly Finding[] {
  return problems.map(({ message: what, ...rest }) => ({ what, ...rest }));
}

function ofResources({ resources, state }: PoolStatus): readonly Finding[] {
  // In the other states it is said already that nothing new comes.
  if (state !== 'LIVE' && state !== 'DIRECT') return [];
  return resources
    .filter(({ synced }) => !synced)
    .map(({ name, source, version }) => ({
      what: `${name} is not in sync: ${version === '' ? 'there is nothing of it yet' : `it is as of version ${version}, from ${WHENCE[source]}`}.`,
    }));
}

const WHENCE = {
  cloud: 'the cloud',
  leader: 'the leader',
  snapshot: 'the disk',
  none: 'nowhere now',
} as const;

/** Only a leader hears of all of them. */
function ofMembers({ leader, node, members }: PoolStatus): readonly Finding[] {
  if (leader !== node) return [];
  return members
    .filter(({ name, heardSeconds = 0 }) => name !== node && heardSeconds > SILENT_SECONDS)
    .map(({ name, heardSeconds = 0 }) => ({
      what: `${name} was last heard of ${formatSpan(heardSeconds * 1000)} ago.`,
      remedy: `See whether it runs, and reaches this node over the LAN: hawser pool status at ${name}.`,
    }));
}
