import { readdirSync, readFileSync } from 'node:fs';
import { release, totalmem } from 'node:os';
import { findCgroups } from '../cgroups/cgroup-mounts.ts';

/** What of a machine decides how its containers are set up; it does not change while a process runs. */
export interface NodeTraits {
  readonly memoryBytes: number;
  /** `uname -r`. */
  readonly kernel: string;
  readonly hasAppArmor: boolean;
  readonly cgroupVersion: 1 | 2;
  /** `2MB`, `1GB`: sizes of huge pages that the kernel can limit. */
  readonly hugePageSizes: readonly string[];
}

/**
 * Reads them of this machine.
 * @param root prefix of `/proc` and `/sys`, for tests
 */
export function readNodeTraits(root = ''): NodeTraits {
  const cgroups = findCgroups(text(`${root}/proc/self/mountinfo`), (path) => text(`${root}${path}`));
  return {
    memoryBytes: totalmem(),
    kernel: release(),
    hasAppArmor: text(`${root}/sys/module/apparmor/parameters/enabled`).startsWith('Y'),
    cgroupVersion: cgroups?.version === 2 ? 2 : 1,
    hugePageSizes:
      cgroups?.controllers.has('hugetlb') === true ? pageSizes(`${root}/sys/kernel/mm/hugepages`) : [],
  };
}

/** `hugepages-2048kB` is `2MB`. Source: libcontainer, cgroups.HugePageSizes. */
function pageSizes(folder: string): readonly string[] {
  return names(folder).flatMap((name) => {
    const kib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
    if (!(kib > 0)) return [];
    if (kib >= 2 ** 20) return [`${kib / 2 ** 20}GB`];
    return [kib >= 2 ** 10 ? `${kib / 2 ** 10}MB` : `${kib}KB`];
  });
}

/** The text of a file, empty where there is none: not every kernel has every file. */
function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** What is in a folder; nothing where there is none: not every kernel has every folder. */
function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
