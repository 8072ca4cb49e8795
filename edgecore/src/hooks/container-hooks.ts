import type { Pod, PodContainer } from '../pods/pod.ts';

/** Runs the lifecycle handlers of containers. */
export interface ContainerHooks {
  /**
   * Runs `postStart`, if there is one; resolves when it is done.
   * @throws ContainerError `PostStartHookError`: the container is to be killed
   */
  postStart(
    pod: Pod,
    container: PodContainer,
    containerId: string,
    podIp: string,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Runs `preStop`, if there is one, for at most `graceSeconds`; resolves with what is left of the grace, at least the
   * 2 s that a kubelet gives. A failure is said by an event `FailedPreStopHook`, and is no reason to stay.
   */
  preStop(
    pod: Pod,
    container: PodContainer,
    containerId: string,
    podIp: string,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<number>;
}
