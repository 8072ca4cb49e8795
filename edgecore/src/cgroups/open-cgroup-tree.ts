import { kernelCgroupFiles, type CgroupFiles } from './cgroup-files.ts';
import { foldersDownTo } from './cgroup-folders.ts';
import type { CgroupMounts } from './cgroup-mounts.ts';
import type { CgroupTree } from './cgroup-tree.ts';
import { CgroupTreeV1, type CgroupHierarchy } from './cgroup-tree-v1.ts';
import { CgroupTreeV2 } from './cgroup-tree-v2.ts';

/** A tree, or why there is none. */
export type OpenedTree =
  | {
      readonly tree: CgroupTree;
      /** Hierarchies that cannot be written. */ readonly without: readonly string[];
    }
  | { readonly problem: string };

/** Without these a cgroup of a pod limits nothing. */
const NEEDED = ['cpu', 'memory'] as const;

/**
 * Opens the tree of a machine, and makes one cgroup in it to see that it can be written. Of version 1 the hierarchies
 * that cannot are left out: a runtime makes its own cgroups in them all the same.
 */
export async function openCgroupTree(
  mounts: CgroupMounts | undefined,
  cgroup: string,
  files: CgroupFiles = kernelCgroupFiles,
): Promise<OpenedTree> {
  if (mounts === undefined) return { problem: 'none are mounted' };
  if (mounts.version === 2) {
    const tree = new CgroupTreeV2(mounts.folder, files);
    try {
      await tree.make(cgroup);
    } catch (error) {
      return { problem: (error as Error).message };
    }
    return { tree, without: [] };
  }
  const usable: CgroupHierarchy[] = [];
  const problems: string[] = [];
  for (const hierarchy of mounts.hierarchies) {
    try {
      for (const folder of foldersDownTo(hierarchy.folder, cgroup)) await files.mkdir(folder);
      usable.push(hierarchy);
    } catch (error) {
      problems.push(`${hierarchy.names.join(',')}: ${(error as Error).message}`);
    }
  }
  const names = new Set(usable.flatMap((hierarchy) => hierarchy.names));
  const missing = NEEDED.filter((name) => !names.has(name));
  if (missing.length > 0) return { problem: problems.join('; ') || `without ${missing.join(' and ')}` };
  return { tree: new CgroupTreeV1(usable, files), without: problems };
}
