import type { ContainerMount } from '../runtime/container-config.ts';
import type { Pod, PodContainer } from '../pods/pod.ts';

/**
 * The volumes of the pods of this node. What is in a configMap, secret, downwardAPI or projected volume follows its
 * sources while the pod runs: each change is one swap of a symbolic link.
 */
export interface PodVolumes {
  /** Takes over what a life before has left. */
  start(): Promise<void>;
  /** Mounts stay as they are. Idempotent. */
  stop(): Promise<void>;
  /**
   * Brings every volume of a pod to where its containers may start. Called before each sandbox and each container:
   * done already, it costs nothing.
   * @throws PodError `FailedMount`: a source is missing (it will come), a path is of another type;
   *   final where the kind of the volume is not supported
   */
  mount(pod: Pod, signal: AbortSignal): Promise<void>;
  /**
   * The mounts of a container, in the order of its spec; sub-paths are resolved, safe against symbolic links.
   * @param env the container's environment, for `subPathExpr`
   * @throws ContainerError `CreateContainerConfigError`
   */
  mounts(
    pod: Pod,
    container: PodContainer,
    env: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<readonly ContainerMount[]>;
  /** Groups that the pod's processes need for its volumes (fsGroup is not among them). */
  supplementalGroups(pod: Pod): readonly number[];
  /**
   * The pod's object has changed: what shows its fields follows. Said once for each pod when this life begins, too:
   * volumes of pods that run follow their sources from then on, though nobody mounts them.
   */
  update(pod: Pod): void;
  /**
   * Ends everything of a pod, nothing of it runs any more: sub-path mounts, memory-backed ones, its folder. Never
   * deletes across a mount, never follows a link. Not there: nothing to do.
   * @throws PodError `FailedUnmount`
   */
  unmount(uid: string, signal: AbortSignal): Promise<void>;
  /** UIDs of pods that have something on the disk. */
  uids(): Promise<readonly string[]>;
}
