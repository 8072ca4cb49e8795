import type { CgroupLimits } from './pod-limits.ts';

/**
 * The cgroups of a machine, as one tree, whatever version they are of. Paths begin with a slash. Errors are those of
 * the file system.
 */
export interface CgroupTree {
  /** Makes a cgroup and those above it, all with every controller. There already: nothing to do. */
  make(path: string): Promise<void>;
  /** Sets its limits; what is not among them has none. */
  limit(path: string, limits: CgroupLimits): Promise<void>;
  /** Its weight in shares, 0 where there is none. */
  cpuShares(path: string): Promise<number>;
  /** Names of those directly below it. */
  children(path: string): Promise<readonly string[]>;
  /** Puts a process into it. @throws ESRCH: it has ended */
  enter(path: string, pid: number): Promise<void>;
  /** Processes in it and below it. */
  processes(path: string): Promise<readonly number[]>;
  /** Ends everything in it and below it at once; it takes its time until all is gone. */
  kill(path: string): Promise<void>;
  /** Removes it and what is below it. Not there: nothing to do. @throws EBUSY: something is in it */
  remove(path: string): Promise<void>;
}
