import type { Logger } from '@hawser/seams';
import { below } from '../cgroups/cgroup-folders.ts';
import { findOwnCgroups } from '../cgroups/cgroup-mounts.ts';
import type { CgroupTree } from '../cgroups/cgroup-tree.ts';
import { openCgroupTree } from '../cgroups/open-cgroup-tree.ts';

/** Weight of a process that asked for nothing. Source: cgroups(7). */
const CPU_SHARES = 1024;

/** Bounds the memory of mappers, where cgroups can be written: each has one of its own below `hawser-mappers`. */
export class MapperMemory {
  readonly #root: string;
  readonly #log: Logger;
  #tree: Promise<CgroupTree | undefined> | undefined;

  /** @param root cgroup that they are made in; empty: the uppermost */
  constructor(root: string, log: Logger) {
    this.#root = below(root, 'hawser-mappers');
    this.#log = log;
  }

  /** Puts a process under its bound. 0: none. Where it cannot be done that is logged, and the mapper runs without. */
  async bound(name: string, pid: number, bytes: number): Promise<void> {
    if (bytes === 0) return;
    this.#tree ??= this.#open();
    const tree = await this.#tree;
    if (tree === undefined) return;
    const cgroup = below(this.#root, name);
    try {
      await tree.make(cgroup);
      await tree.limit(cgroup, { cpuShares: CPU_SHARES, memoryBytes: bytes });
      await tree.enter(cgroup, pid);
    } catch (error) {
      this.#log.warn({ mapper: name, err: error }, 'the memory of a mapper cannot be bounded');
    }
  }

  /** Removes the cgroup of a mapper that has ended. */
  async release(name: string): Promise<void> {
    const tree = await this.#tree;
    await tree?.remove(below(this.#root, name)).catch((error: unknown) => {
      this.#log.debug({ mapper: name, err: error }, 'the cgroup of a mapper is left');
    });
  }

  async #open(): Promise<CgroupTree | undefined> {
    const opened = await openCgroupTree(findOwnCgroups(), this.#root);
    if ('tree' in opened) return opened.tree;
    this.#log.warn(
      { problem: opened.problem },
      'mappers run without bounds of memory: cgroups cannot be written',
    );
    return undefined;
  }
}
