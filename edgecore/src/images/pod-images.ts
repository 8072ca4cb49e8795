import type { RuntimeImage } from '../runtime/image-store.ts';
import type { SandboxConfig } from '../runtime/container-config.ts';
import type { Pod, PodContainer } from '../pods/pod.ts';

/** Brings images to the node, and keeps what is needed. */
export interface PodImages {
  /**
   * Makes sure that a container's image is here, as its pull policy says, with the pod's pull secrets. Failed pulls
   * wait with back-off, each image by itself. Says Pulling, Pulled, Failed and BackOff by events.
   * @throws ContainerError `ErrImagePull`, `ImagePullBackOff`, `ErrImageNeverPull`, `InvalidImageName`, `ImageInspectError`
   */
  ensure(
    pod: Pod,
    container: PodContainer,
    sandbox: SandboxConfig,
    signal: AbortSignal,
  ): Promise<RuntimeImage>;
  /** When a pull that failed may be tried again, wall milliseconds; undefined: now. */
  retryAtMs(pod: Pod, container: PodContainer): number | undefined;
}
