import path from 'node:path';
import type { CgroupFiles } from './cgroup-files.ts';
import { foldersBelow, foldersDownTo, killProcesses, processesIn, removeFolders } from './cgroup-folders.ts';
import type { CgroupTree } from './cgroup-tree.ts';
import { CPU_PERIOD_US } from './cpu-values.ts';
import type { CgroupLimits } from './pod-limits.ts';

/** One hierarchy: its controllers (`cpu`, `name=systemd`) and its folder. */
export interface CgroupHierarchy {
  readonly names: readonly string[];
  readonly folder: string;
}

/**
 * Cgroups of version 1: the same path in each hierarchy.
 * Source: Linux, Documentation/admin-guide/cgroup-v1; libcontainer, cgroups/fs.
 */
export class CgroupTreeV1 implements CgroupTree {
  readonly #hierarchies: readonly CgroupHierarchy[];
  readonly #files: CgroupFiles;

  constructor(hierarchies: readonly CgroupHierarchy[], files: CgroupFiles) {
    this.#hierarchies = hierarchies;
    this.#files = files;
  }

  async make(cgroup: string): Promise<void> {
    // Beside each other: a dozen hierarchies, one after the other, would hold up each pod that starts.
    await Promise.all(
      this.#hierarchies.map(async ({ names, folder }) => {
        for (const each of foldersDownTo(folder, cgroup)) {
          await this.#files.mkdir(each);
          if (names.includes('cpuset')) await this.#inheritCpus(each);
        }
      }),
    );
  }

  async limit(cgroup: string, limits: CgroupLimits): Promise<void> {
    const cpu = this.#folder('cpu', cgroup);
    if (cpu !== undefined) {
      await this.#files.write(path.join(cpu, 'cpu.shares'), String(limits.cpuShares));
      await this.#files.write(path.join(cpu, 'cpu.cfs_period_us'), String(CPU_PERIOD_US));
      await this.#files.write(path.join(cpu, 'cpu.cfs_quota_us'), String(limits.cpuQuota ?? -1));
    }
    const memory = this.#folder('memory', cgroup);
    if (memory !== undefined) {
      await this.#files.write(path.join(memory, 'memory.limit_in_bytes'), String(limits.memoryBytes ?? -1));
    }
  }

  async cpuShares(cgroup: string): Promise<number> {
    const folder = this.#folder('cpu', cgroup);
    return folder === undefined ? 0 : Number((await this.#files.read(path.join(folder, 'cpu.shares'))) ?? 0);
  }

  async children(cgroup: string): Promise<readonly string[]> {
    const found = new Set<string>();
    for (const { folder } of this.#hierarchies) {
      for (const name of await this.#files.folders(path.join(folder, cgroup))) found.add(name);
    }
    return [...found];
  }

  async enter(cgroup: string, pid: number): Promise<void> {
    for (const { folder } of this.#hierarchies)
      await this.#files.write(path.join(folder, cgroup, 'cgroup.procs'), String(pid));
  }

  async processes(cgroup: string): Promise<readonly number[]> {
    const found = new Set<number>();
    for (const { folder } of this.#hierarchies) {
      for (const pid of await processesIn(this.#files, path.join(folder, cgroup))) found.add(pid);
    }
    return [...found];
  }

  async kill(cgroup: string): Promise<void> {
    killProcesses(await this.processes(cgroup));
    // What is frozen dies only once it is thawed.
    const freezer = this.#folder('freezer', cgroup);
    if (freezer === undefined) return;
    for (const folder of await foldersBelow(this.#files, freezer)) {
      await this.#files.write(path.join(folder, 'freezer.state'), 'THAWED');
    }
  }

  async remove(cgroup: string): Promise<void> {
    for (const { folder } of this.#hierarchies) await removeFolders(this.#files, path.join(folder, cgroup));
  }

  /** Without processors and memory nodes of its own a cgroup of this controller takes no process. */
  async #inheritCpus(folder: string): Promise<void> {
    for (const name of ['cpuset.cpus', 'cpuset.mems']) {
      const own = (await this.#files.read(path.join(folder, name)))?.trim();
      if (own !== '') continue;
      const above = await this.#files.read(path.join(folder, '..', name));
      if (above !== undefined) await this.#files.write(path.join(folder, name), above.trim());
    }
  }

  #folder(controller: string, cgroup: string): string | undefined {
    const hierarchy = this.#hierarchies.find(({ names }) => names.includes(controller));
    return hierarchy && path.join(hierarchy.folder, cgroup);
  }
}
