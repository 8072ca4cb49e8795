import { readFileSync, readdirSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { E2eError } from '../errors.ts';
import { findExecutable } from '../processes/executable.ts';
import { runCommand } from '../processes/run-command.ts';

const PREFIX = 'hawser-e2e';

/** Where iproute2 keeps its named namespaces. */
const FOLDER = '/run/netns';

const live = new Set<string>();
let count = 0;
let hooked = false;

/**
 * A name for a namespace that no other process uses, and that says whose it is: by process id and start time, since
 * ids are used again. The namespace is removed when this process exits, if {@link removeNamespace} was not called.
 */
export function claimName(label: string): string {
  const startTime = startTimeOf(process.pid);
  if (startTime === undefined)
    throw new E2eError('ERR_E2E_UNAVAILABLE', 'there is no /proc: this is not Linux');
  const name = [PREFIX, process.pid, startTime, ++count, label].join('-');
  live.add(name);
  if (!hooked) {
    hooked = true;
    process.once('exit', removeLive);
  }
  return name;
}

/** Kills what still runs in a namespace of ours and removes it. Does nothing when there is none of that name. */
export async function removeNamespace(name: string): Promise<void> {
  if (!existing().includes(name)) {
    live.delete(name);
    return;
  }
  for (const pid of (await runCommand('ip', ['netns', 'pids', name])).split('\n').filter(Boolean))
    kill(Number(pid));
  await runCommand('ip', ['netns', 'delete', name]);
  live.delete(name);
}

/** Removes the namespaces of runs that ended without doing so (SIGKILL, power). @returns their names */
export async function removeStaleNamespaces(): Promise<string[]> {
  const stale = existing().filter((name) => {
    const match = new RegExp(`^${PREFIX}-(\\d+)-(\\d+)-`).exec(name);
    return match !== null && startTimeOf(Number(match[1])) !== match[2];
  });
  const removed = [];
  for (const name of stale)
    try {
      await removeNamespace(name);
      removed.push(name);
    } catch (error) {
      if (existing().includes(name)) throw error; // else another process was faster
    }
  return removed;
}

function existing(): string[] {
  try {
    return readdirSync(FOLDER);
  } catch {
    return []; // made by the first `ip netns add`
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function removeLive(): void {
  const ip = findExecutable('ip');
  if (ip === undefined) return;
  for (const name of live) spawnSync(ip, ['netns', 'delete', name], { stdio: 'ignore' });
}

/** When a process was started, in clock ticks since boot (proc(5), field 22); undefined when there is none. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
