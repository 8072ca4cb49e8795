import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** When a process was started, in clock ticks since boot (proc(5), field 22); undefined when there is none. */
export function startTimeOf(pid: number): string | undefined {
  return statFields(pid)?.[19];
}

/** Processes of containerd (itself, shims, ctr) that have `argument` among their arguments. */
export function containerdProcesses(argument: string): number[] {
  return processIds().filter((pid) => {
    const [program = '', ...args] = (readText(`/proc/${pid}/cmdline`) ?? '').split('\0');
    return /^(containerd|ctr$)/.test(path.basename(program)) && args.includes(argument);
  });
}

/** Those processes and everything that descends from them. */
export function withDescendants(pids: readonly number[]): number[] {
  const found = new Set(pids);
  const parents = processIds().map((pid) => [pid, Number(statFields(pid)?.[1])] as const);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** Mount points of this machine's cgroup hierarchies, of both versions. */
export function cgroupMounts(): string[] {
  return mounts()
    .filter(({ type }) => type === 'cgroup' || type === 'cgroup2')
    .map(({ point }) => point);
}

/** Mount points at or below a folder, the innermost first. */
export function mountsBelow(dir: string): string[] {
  return mounts()
    .map(({ point }) => point)
    .filter((point) => point === dir || point.startsWith(`${dir}/`))
    .reverse();
}

/** Processes in a cgroup and below it, in every hierarchy. @param cgroup path from the root of the hierarchies */
export function processesInCgroup(cgroup: string): number[] {
  const dirs = cgroupMounts().flatMap((mount) => foldersBelow(path.join(mount, cgroup)));
  const lines = dirs.flatMap((dir) => (readText(path.join(dir, 'cgroup.procs')) ?? '').split('\n'));
  return [...new Set(lines.filter((line) => line !== '').map(Number))];
}

/** A folder and all below it, the innermost first; none if it is not there. */
export function foldersBelow(dir: string): string[] {
  try {
    const children = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...children.flatMap(({ name }) => foldersBelow(path.join(dir, name))), dir];
  } catch {
    return []; // it is not there, or has just gone
  }
}

/** Kills processes; those that ended by themselves meanwhile are no failure. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      if (pid > 1 && pid !== process.pid) process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Whether a process still runs; one that ended and was not waited for does not. */
export function isRunning(pid: number): boolean {
  const state = statFields(pid)?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function mounts(): { readonly point: string; readonly type: string }[] {
  const lines = (readText('/proc/self/mountinfo') ?? '').split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [place = '', what = ''] = line.split(' - ');
    const unescape = (text: string): string =>
      text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    return { point: unescape(place.split(' ')[4] ?? ''), type: what.split(' ')[0] ?? '' };
  });
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** From the third field of proc(5) on. */
function statFields(pid: number): string[] | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // it is not there, or has just gone
  }
}
