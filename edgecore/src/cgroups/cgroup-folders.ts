import path from 'node:path';
import type { CgroupFiles } from './cgroup-files.ts';

/** A cgroup below another one: `/a` and `b` make `/a/b`. */
export function below(cgroup: string, ...names: readonly string[]): string {
  return path.posix.join('/', cgroup, ...names);
}

/** A cgroup's folder, and all below it; the lowest first. Nothing where it is not there. */
export async function foldersBelow(files: CgroupFiles, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await files.folders(folder)) {
    found.push(...(await foldersBelow(files, path.join(folder, name))));
  }
  return [...found, folder];
}

/** The folders from below `root` down to a cgroup's. */
export function foldersDownTo(root: string, cgroup: string): readonly string[] {
  const parts = cgroup.split('/').filter(Boolean);
  return parts.map((_, index) => path.join(root, ...parts.slice(0, index + 1)));
}

/** Processes in a folder and below it. */
export async function processesIn(files: CgroupFiles, folder: string): Promise<readonly number[]> {
  const found = new Set<number>();
  for (const each of await foldersBelow(files, folder)) {
    const text = (await files.read(path.join(each, 'cgroup.procs'))) ?? '';
    for (const line of text.split('\n')) {
      const pid = Number(line);
      // 0 is a process that this PID namespace does not show; as an argument of kill it is oneself.
      if (pid > 1 && pid !== process.pid) found.add(pid);
    }
  }
  return [...found];
}

/** Sends SIGKILL to processes. Who has gone meanwhile has gone. */
export function killProcesses(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Removes a folder of cgroups, the lowest first. */
export async function removeFolders(files: CgroupFiles, folder: string): Promise<void> {
  for (const each of await foldersBelow(files, folder)) await files.rmdir(each);
}
