import type { PoolStatus } from '@hawser/edgecore';
import type { Demo } from './demo.ts';
import type { DemoEdge } from './demo-edge.ts';
import { since, waitUntil } from './wait.ts';
import { counted } from './words.ts';

/** An election takes as long as it takes to be sure that the leader has gone. */
const ELECTION_LIMIT_MS = 60_000;

/** The leader of the pool is killed; another one leads; the one that was killed comes back, and follows. */
export async function replaceLeader(demo: Demo): Promise<string | undefined> {
  const { edges, journal, signal } = demo;
  if (edges.length < 2) return 'a pool of one edge has nobody to take over';
  journal.title("The pool's leader is killed");
  const before = await untilLed(demo, edges);
  const leader = edges.find(({ node }) => node === before.leader);
  if (leader === undefined) throw new Error(`${before.leader} is no edge of this program`);
  const shared = before.resources.reduce((sum, { objects }) => sum + objects, 0);
  journal.line(`${leader.node} leads, epoch ${before.epoch}: one stream for ${shared} objects of the pool`);
  await leader.losePower();
  const startedMs = performance.now();
  const others = edges.filter((edge) => edge !== leader);
  const after = await untilLed(demo, others, leader.node);
  journal.done(
    `killed (SIGKILL): ${after.leader} leads, epoch ${after.epoch}, and ${counted(others.length, 'member')} ${others.length === 1 ? 'is' : 'are'} up to date ${since(startedMs)} later`,
  );
  const backMs = performance.now();
  await leader.edge.start();
  await untilLed(demo, edges);
  await waitUntil('it is in sync', signal, () => leader.edge.inSync());
  journal.done(`${leader.node} is back, and follows, ${since(backMs)} after its start`);
  return undefined;
}

/** Waits until these edges follow one leader and have everything. @param not who is not to be it */
export async function untilLed(
  { signal }: Pick<Demo, 'signal'>,
  edges: readonly DemoEdge[],
  not?: string,
): Promise<PoolStatus> {
  let said: PoolStatus | undefined;
  await waitUntil(
    'the pool has a leader',
    signal,
    async () => {
      const words = (await Promise.all(edges.map((edge) => edge.pool()))).filter(
        (word) => word !== undefined,
      );
      const leaders = new Set(words.map(({ leader }) => leader));
      const [leader = ''] = leaders;
      said = words[0];
      return (
        words.length === edges.length &&
        leaders.size === 1 &&
        leader !== '' &&
        leader !== not &&
        words.every(isUpToDate)
      );
    },
    { deadlineMs: ELECTION_LIMIT_MS, everyMs: 50 },
  );
  if (said === undefined) throw new TypeError('no edge was asked');
  return said;
}

function isUpToDate({ state, resources }: PoolStatus): boolean {
  return state === 'LIVE' && resources.length > 0 && resources.every(({ synced }) => synced);
}
