import { delay } from '@hawser/seams';
import { allProcesses, hasVariable, processStat, type ProcessStat } from './process-stat.ts';

/** A process that was started for a container: who it is, for good. */
export interface ProcessIdentity {
  readonly pid: number;
  /** See `ProcessStat.began`. */
  readonly began: string;
}

/** In the environment of each process of a container, so that one that has left its session is found too. */
export const CONTAINER_VARIABLE = 'HAWSER_CONTAINER';
const PASSES = 50;
const PAUSE_MS = 10;

/**
 * Of these processes, the first one of a container and everything of its session. A session whose leader is another
 * process than the container's first one has its number only: none of it is taken.
 */
export function sessionMembers(all: readonly ProcessStat[], main: ProcessIdentity): readonly ProcessStat[] {
  const leader = all.find(({ pid }) => pid === main.pid);
  if (leader !== undefined && leader.began !== main.began) return [];
  return all.filter(({ session }) => session === main.pid);
}

/**
 * Kills whatever there is of a container, its session and what was started with its mark, again until nothing is left.
 * Each process is looked at once more right before: a number that another one has by now is left alone.
 * @param main undefined: it was never started, or is not known
 * @returns whether nothing is left
 */
export async function killMembers(id: string, main: ProcessIdentity | undefined): Promise<boolean> {
  for (let pass = 0; pass < PASSES; pass += 1) {
    const members = await allMembers(id, main);
    if (members.length === 0) return true;
    for (const { pid, began } of members) if ((await processStat(pid))?.began === began) kill(pid);
    await delay(PAUSE_MS);
  }
  return false;
}

async function allMembers(id: string, main: ProcessIdentity | undefined): Promise<readonly ProcessStat[]> {
  const all = await allProcesses();
  const members = new Set(main === undefined ? [] : sessionMembers(all, main));
  const others = all.filter((stat) => stat.pid !== process.pid && !members.has(stat));
  const marked = await Promise.all(others.map(({ pid }) => hasVariable(pid, `${CONTAINER_VARIABLE}=${id}`)));
  return [...members, ...others.filter((_, index) => marked[index])];
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error; // it has ended, or became another user's
  }
}
