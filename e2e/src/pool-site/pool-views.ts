import type { PoolStatus } from '@hawser/edgecore';

/** The leader that all of these members follow; undefined: they have none, or not the same one. */
export function leaderOf(statuses: readonly PoolStatus[]): string | undefined {
  const leaders = new Set(statuses.map(({ leader }) => leader));
  const [leader = ''] = leaders;
  return leaders.size === 1 && leader !== '' ? leader : undefined;
}

/** Whether a member hears the cloud by its leader, and has everything. */
export function isLive({ state, resources }: PoolStatus): boolean {
  return state === 'LIVE' && resources.length > 0 && resources.every(({ synced }) => synced);
}
