import path from 'node:path';
import type { CgroupFiles } from './cgroup-files.ts';
import { foldersDownTo, killProcesses, processesIn, removeFolders } from './cgroup-folders.ts';
import type { CgroupTree } from './cgroup-tree.ts';
import { CPU_PERIOD_US, cpuWeight, sharesOfWeight } from './cpu-values.ts';
import type { CgroupLimits } from './pod-limits.ts';

/** Controllers that containers may have. Source: libcontainer, cgroups/fs2 needAnyControllers. */
const WANTED: readonly string[] = ['cpu', 'cpuset', 'memory', 'io', 'pids', 'hugetlb'];

/**
 * Cgroups of version 2: one hierarchy, in which each cgroup says which controllers those below it have.
 * Source: Linux, Documentation/admin-guide/cgroup-v2.rst.
 */
export class CgroupTreeV2 implements CgroupTree {
  readonly #root: string;
  readonly #files: CgroupFiles;

  constructor(root: string, files: CgroupFiles) {
    this.#root = root;
    this.#files = files;
  }

  async make(cgroup: string): Promise<void> {
    for (const folder of foldersDownTo(this.#root, cgroup)) {
      await this.#passOn(path.dirname(folder));
      await this.#files.mkdir(folder);
    }
    await this.#passOn(path.join(this.#root, cgroup));
  }

  async limit(cgroup: string, limits: CgroupLimits): Promise<void> {
    const { cpuShares, cpuQuota = 'max', memoryBytes = 'max' } = limits;
    await this.#write(cgroup, 'cpu.weight', String(cpuWeight(cpuShares)));
    await this.#write(cgroup, 'cpu.max', `${cpuQuota} ${CPU_PERIOD_US}`);
    await this.#write(cgroup, 'memory.max', String(memoryBytes));
  }

  async cpuShares(cgroup: string): Promise<number> {
    const weight = await this.#files.read(path.join(this.#root, cgroup, 'cpu.weight'));
    return weight === undefined ? 0 : sharesOfWeight(Number(weight));
  }

  children(cgroup: string): Promise<readonly string[]> {
    return this.#files.folders(path.join(this.#root, cgroup));
  }

  async enter(cgroup: string, pid: number): Promise<void> {
    await this.#write(cgroup, 'cgroup.procs', String(pid));
  }

  processes(cgroup: string): Promise<readonly number[]> {
    return processesIn(this.#files, path.join(this.#root, cgroup));
  }

  async kill(cgroup: string): Promise<void> {
    // All of it at once, frozen or not, and nothing can fork away; kernels have that since 5.14.
    if (await this.#write(cgroup, 'cgroup.kill', '1')) return;
    killProcesses(await this.processes(cgroup));
    await this.#write(cgroup, 'cgroup.freeze', '0');
  }

  async remove(cgroup: string): Promise<void> {
    await removeFolders(this.#files, path.join(this.#root, cgroup));
  }

  /** Gives those below a cgroup every controller that it has itself. */
  async #passOn(folder: string): Promise<void> {
    const has = words(await this.#files.read(path.join(folder, 'cgroup.controllers')));
    const given = words(await this.#files.read(path.join(folder, 'cgroup.subtree_control')));
    for (const controller of WANTED) {
      if (!has.includes(controller) || given.includes(controller)) continue;
      await this.#files.write(path.join(folder, 'cgroup.subtree_control'), `+${controller}`);
    }
  }

  #write(cgroup: string, name: string, text: string): Promise<boolean> {
    return this.#files.write(path.join(this.#root, cgroup, name), text);
  }
}

function words(text = ''): readonly string[] {
  return text.trim().split(/\s+/);
}
