import path from 'node:path';
import { codeOf, type CgroupFiles } from './cgroup-files.ts';
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
        await this.#makeFolder(folder, cgroup);
        if (names.includes('cpuset')) await this.#inheritCpus(path.join(folder, cgroup));
      }),
    );
  }

  async limit(cgroup: string, { cpuShares, cpuQuota = -1, memoryBytes = -1 }: CgroupLimits): Promise<void> {
    const write = async (controller: string, files: Readonly<Record<string, number>>): Promise<void> => {
      const folder = this.#folder(controller, cgroup);
      if (folder === undefined) return;
      for (const [name, value] of Object.entries(files))
        await this.#files.write(path.join(folder, name), String(value));
    };
    await Promise.all([
      write('cpu', { 'cpu.shares': cpuShares }),
      write('cpu', { 'cpu.cfs_period_us': CPU_PERIOD_US, 'cpu.cfs_quota_us': cpuQuota }),
      write('memory', { 'memory.limit_in_bytes': memoryBytes }),
    ]);
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

  /** What is above it is there, as a rule: it is made only where it is not. */
  async #makeFolder(root: string, cgroup: string): Promise<void> {
    try {
      await this.#files.mkdir(path.join(root, cgroup));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      for (const folder of foldersDownTo(root, cgroup)) await this.#files.mkdir(folder);
    }
  }

  /** Without processors and memory nodes of its own a cgroup of this controller takes no process. */
  async #inheritCpus(folder: string): Promise<void> {
    await Promise.all(['cpuset.cpus', 'cpuset.mems'].map((name) => this.#inherit(folder, name)));
  }

  /** Answers what it has then; undefined: the kernel has no such file there, as above the root. */
  async #inherit(folder: string, name: string): Promise<string | undefined> {
    const own = (await this.#files.read(path.join(folder, name)))?.trim();
    if (own !== '') return own;
    const above = await this.#inherit(path.dirname(folder), name);
    if (above !== undefined) await this.#files.write(path.join(folder, name), above);
    return above;
  }

  #folder(controller: string, cgroup: string): string | undefined {
    const hierarchy = this.#hierarchies.find(({ names }) => names.includes(controller));
    return hierarchy && path.join(hierarchy.folder, cgroup);
  }
}
