import { Backoff, delay, systemClock, type Clock, type Logger } from '@hawser/seams';
import { EdgeCoreError } from '../errors.ts';
import type { Pod } from '../pods/pod.ts';
import { PodError } from '../pods/pod-error.ts';
import { qosClass } from '../pods/qos-class.ts';
import { codeOf, type CgroupFiles } from './cgroup-files.ts';
import { below } from './cgroup-folders.ts';
import { CgroupMarks } from './cgroup-marks.ts';
import { findOwnCgroups, type CgroupMounts } from './cgroup-mounts.ts';
import type { CgroupTree } from './cgroup-tree.ts';
import { cpuShares, MAX_CPU_SHARES, MIN_CPU_SHARES } from './cpu-values.ts';
import { openCgroupTree } from './open-cgroup-tree.ts';
import type { PodCgroups } from './pod-cgroups.ts';
import { cgroupLimits, type CgroupLimits } from './pod-limits.ts';

/** What {@link CgroupManager} needs. */
export interface CgroupManagerOptions {
  /** `none`: no cgroups are made, the runtime puts pods where it likes. */
  readonly driver: 'cgroupfs' | 'none';
  /** Cgroup that `kubepods` is made in, with a slash before it; empty: the uppermost. */
  readonly root: string;
  /** Folder that remembers which pods' cgroups are this edge's; made if it is not there. */
  readonly marksDir: string;
  /**
   * What all pods together may take, asked at the start; absent, or undefined: they share with the system as they
   * come.
   */
  readonly allocatable?: () => { readonly cpuMillis: number; readonly memoryBytes: number } | undefined;
  readonly log: Logger;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: those of this machine. */
  readonly mounts?: () => CgroupMounts | undefined;
  /** Default: the kernel's. */
  readonly files?: CgroupFiles;
}

/** What a UID may be, as part of a path. */
const UID = /^[A-Za-z0-9][-A-Za-z0-9_.]*$/;
const POD = 'pod';
/** Processes that have been killed take a moment to be gone. */
const REMOVE_ATTEMPTS = 20;
const REMOVE_DELAY = { baseMs: 20, capMs: 500 };

/**
 * Cgroups of pods, made in the file system of the kernel: the driver `cgroupfs`.
 *
 * `kubepods` holds guaranteed pods, and `burstable` and `besteffort` with the others, so that under contention CPU goes
 * to each class by what its pods have asked for: `burstable` has the sum of its pods, `besteffort` next to nothing.
 * That sum is read back from the cgroups themselves. Only what {@link CgroupMarks} says is this edge's is ever ended.
 * Source: kubelet, cm/qos_container_manager_linux.go, cm/pod_container_manager_linux.go.
 */
export class CgroupManager implements PodCgroups {
  readonly #options: CgroupManagerOptions;
  readonly #clock: Clock;
  readonly #kubepods: string;
  readonly #burstable: string;
  readonly #bestEffort: string;
  /** What was made in this life, by UID: path and limits. */
  readonly #made = new Map<string, string>();
  /** What is being made, by UID: who asks meanwhile waits for it. */
  readonly #making = new Map<string, { readonly made: string; readonly cgroup: Promise<string> }>();
  readonly #marks: CgroupMarks;
  #tree: CgroupTree | undefined;
  #started: Promise<void> | undefined;
  /** Sums of the class burstable are made one after the other. */
  #sum: Promise<void> = Promise.resolve();

  constructor(options: CgroupManagerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#kubepods = below(options.root, 'kubepods');
    this.#burstable = below(this.#kubepods, 'burstable');
    this.#bestEffort = below(this.#kubepods, 'besteffort');
    this.#marks = new CgroupMarks(options.marksDir);
  }

  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async ensure(pod: Pod): Promise<string> {
    const tree = this.#tree;
    if (tree === undefined) return '';
    const qos = qosClass(pod);
    const uid = checkedUid(pod.metadata.uid);
    const cgroup = below(this.#parent(qos), `${POD}${uid}`);
    const limits = cgroupLimits(pod);
    const made = JSON.stringify([cgroup, limits]);
    if (this.#made.get(uid) === made) return cgroup;
    const underWay = this.#making.get(uid);
    if (underWay?.made === made) return await underWay.cgroup;
    const making = this.#make(tree, uid, cgroup, made, limits).finally(() => {
      if (this.#making.get(uid)?.cgroup === making) this.#making.delete(uid);
    });
    this.#making.set(uid, { made, cgroup: making });
    await making;
    if (qos === 'Burstable') await this.#sumUp(tree);
    return cgroup;
  }

  async #make(
    tree: CgroupTree,
    uid: string,
    cgroup: string,
    made: string,
    limits: CgroupLimits,
  ): Promise<string> {
    try {
      await this.#marks.add(uid); // first: what is made is to be found again after a crash
      await tree.make(cgroup);
      await tree.limit(cgroup, limits);
      this.#made.set(uid, made);
      return cgroup;
    } catch (error) {
      throw new PodError(
        'FailedCreatePodContainer',
        `unable to ensure pod container exists: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  async remove(uid: string): Promise<void> {
    const tree = this.#tree;
    if (tree === undefined) return;
    const name = `${POD}${checkedUid(uid)}`;
    await this.#making.get(uid)?.cgroup.catch(() => {}); // whoever wanted it has heard
    this.#made.delete(uid);
    for (const parent of [this.#kubepods, this.#burstable, this.#bestEffort]) {
      if (!(await this.#children(tree, parent)).includes(name)) continue;
      if (this.#marks.has(uid)) await this.#remove(tree, below(parent, name));
      else await this.#removeEmpty(tree, below(parent, name));
    }
    await this.#marks.remove(uid);
    await this.#sumUp(tree);
  }

  uids(): Promise<readonly string[]> {
    return Promise.resolve(this.#tree === undefined ? [] : this.#marks.uids());
  }

  async #start(): Promise<void> {
    const { driver, mounts = findOwnCgroups, files, log } = this.#options;
    if (driver === 'none') return;
    const opened = await openCgroupTree(mounts(), this.#kubepods, files);
    if ('problem' in opened) {
      log.warn(
        { cgroup: this.#kubepods, problem: opened.problem },
        'cgroups cannot be written: the runtime puts pods into its own, and pods as a whole have no limits',
      );
      return;
    }
    if (opened.without.length > 0) {
      log.warn({ without: opened.without }, 'some hierarchies of cgroups cannot be written and are left out');
    }
    const { tree } = opened;
    try {
      await this.#marks.open();
      await tree.make(this.#burstable);
      await tree.make(this.#bestEffort);
      await tree.limit(this.#bestEffort, { cpuShares: MIN_CPU_SHARES });
    } catch (error) {
      log.warn(
        { err: error },
        'cgroups of the classes of service cannot be made: pods get those of the runtime',
      );
      return;
    }
    await this.#limitAll(tree);
    this.#tree = tree;
    await this.#sumUp(tree);
  }

  /** The limit of all pods together may be below what they use already, after a change: the old one then stays. */
  async #limitAll(tree: CgroupTree): Promise<void> {
    const { log } = this.#options;
    const allocatable = this.#options.allocatable?.();
    if (allocatable === undefined) return;
    const { cpuMillis, memoryBytes } = allocatable;
    try {
      await tree.limit(this.#kubepods, { cpuShares: cpuShares(cpuMillis), memoryBytes });
    } catch (error) {
      log.warn({ err: error, memoryBytes }, 'what all pods together may take could not be limited');
    }
  }

  #parent(qos: ReturnType<typeof qosClass>): string {
    if (qos === 'Guaranteed') return this.#kubepods;
    return qos === 'Burstable' ? this.#burstable : this.#bestEffort;
  }

  /** Gives the class burstable the weight that its pods have together. */
  #sumUp(tree: CgroupTree): Promise<void> {
    this.#sum = this.#sum.then(async () => {
      try {
        let shares = 0;
        for (const name of await tree.children(this.#burstable)) {
          if (name.startsWith(POD)) shares += await tree.cpuShares(below(this.#burstable, name));
        }
        const bounded = Math.min(Math.max(shares, MIN_CPU_SHARES), MAX_CPU_SHARES);
        await tree.limit(this.#burstable, { cpuShares: bounded });
      } catch (error) {
        // The weight of before stays; the next pod that comes or goes tries again.
        this.#options.log.warn({ err: error }, 'the weight of burstable pods could not be set');
      }
    });
    return this.#sum;
  }

  async #remove(tree: CgroupTree, cgroup: string): Promise<void> {
    const backoff = new Backoff(REMOVE_DELAY);
    for (;;) {
      try {
        if ((await tree.processes(cgroup)).length > 0) await tree.kill(cgroup);
        await tree.remove(cgroup);
        return;
      } catch (error) {
        const left = codeOf(error) === 'EBUSY' || codeOf(error) === 'ENOTEMPTY';
        if (!left || backoff.attempts >= REMOVE_ATTEMPTS) {
          throw failed('the cgroup of a pod that has ended cannot be removed', cgroup, error);
        }
        await delay(backoff.nextMs(), { clock: this.#clock });
      }
    }
  }

  /** One that is not marked may be of another kubelet: nothing in it is ended. */
  async #removeEmpty(tree: CgroupTree, cgroup: string): Promise<void> {
    try {
      await tree.remove(cgroup);
    } catch (error) {
      this.#options.log.warn(
        { cgroup, err: error },
        'the cgroup of a pod is not of this edge and is left alone',
      );
    }
  }

  async #children(tree: CgroupTree, cgroup: string): Promise<readonly string[]> {
    try {
      return await tree.children(cgroup);
    } catch (error) {
      throw failed('cgroups cannot be read', cgroup, error);
    }
  }
}

function checkedUid(uid: string): string {
  if (UID.test(uid)) return uid;
  throw new EdgeCoreError('ERR_EDGECORE_CGROUP', `"${uid}" cannot be the UID of a pod`, { about: uid });
}

function failed(what: string, cgroup: string, cause: unknown): EdgeCoreError {
  return new EdgeCoreError('ERR_EDGECORE_CGROUP', `${what}: ${(cause as Error).message}`, {
    about: cgroup,
    cause,
  });
}
