import { readdir, readFile } from 'node:fs/promises';
import { processUsage } from '../../src/index.ts';

/** What the processes of a run use. */
export interface RunUsage {
  /** Since their beginnings, with that of their children that have ended. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly processes: readonly { readonly pid: number; readonly cpuMs: number; readonly command: string }[];
}

interface Found {
  readonly pid: number;
  readonly parent: number;
  /** Of children that were waited for, milliseconds. */
  readonly childrenMs: number;
  readonly command: string;
  readonly isMarked: boolean;
}

/** Kernel clock ticks that proc(5) counts in: USER_HZ, 100 on every architecture that Node.js runs on. */
const MS_PER_TICK = 10;

/** All processes that were started with this TMPDIR, and their children: containers have an environment of their own. */
export async function usageOfRun(tmp: string): Promise<RunUsage> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = (await Promise.all(pids.map((pid) => look(Number(pid), tmp)))).filter(
    (one) => one !== undefined,
  );
  const ours = new Set(all.filter(({ isMarked }) => isMarked).map(({ pid }) => pid));
  for (let before = -1; before !== ours.size;) {
    before = ours.size;
    for (const { pid, parent } of all) if (ours.has(parent)) ours.add(pid);
  }
  const used = await Promise.all(all.filter(({ pid }) => ours.has(pid)).map(usageOf));
  const processes = used.filter((one) => one !== undefined);
  return {
    cpuMs: processes.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    rssBytes: processes.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
    processes,
  };
}

async function usageOf({
  pid,
  childrenMs,
  command,
}: Found): Promise<(RunUsage['processes'][number] & { readonly rssBytes: number }) | undefined> {
  try {
    const { cpuMs, rssBytes } = await processUsage(pid);
    return { pid, command, rssBytes, cpuMs: cpuMs + childrenMs };
  } catch {
    return undefined; // it has ended: whoever waited for it has what it took
  }
}

async function look(pid: number, tmp: string): Promise<Found | undefined> {
  try {
    const [stat = '', environment = '', command = ''] = await Promise.all(
      ['stat', 'environ', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
    );
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from field 3 of proc(5) on
    return {
      ...{ pid, parent: Number(fields[1]) },
      childrenMs: (Number(fields[13]) + Number(fields[14])) * MS_PER_TICK,
      command: command.replaceAll('\0', ' ').trim(),
      isMarked: environment.split('\0').includes(`TMPDIR=${tmp}`),
    };
  } catch {
    return undefined; // it has ended meanwhile
  }
}
