import type { Pod } from '../pods/pod.ts';

/**
 * The cgroups that pods are in: `kubepods/[burstable/|besteffort/]pod<uid>` by quality of service, with the pod's own
 * limits. cgroup v1 and v2. Source: kubelet, cm/pod_container_manager_linux.go.
 */
export interface PodCgroups {
  /** Makes the upper ones. Where cgroups cannot be written: says so once, and pods get the runtime's own. */
  start(): Promise<void>;
  /**
   * Makes the cgroup of a pod with its limits; its path as the runtime wants it, empty where there is none. Idempotent.
   * @throws PodError `FailedCreatePodContainer`; EdgeCoreError `ERR_EDGECORE_CGROUP`: its UID cannot be one
   */
  ensure(pod: Pod): Promise<string>;
  /**
   * Removes it, after everything in it has ended; what is left in it is killed. Not there: nothing to do.
   * @throws EdgeCoreError `ERR_EDGECORE_CGROUP`: something in it does not end; to be tried again
   */
  remove(uid: string): Promise<void>;
  /** UIDs of pods that this edge has made one for, and not removed. */
  uids(): Promise<readonly string[]>;
}
