/**
 * Why a container could not be started: `reason` and message of `state.waiting` in its status, as a kubelet says them.
 * Source: kubelet, container/sync_result.go, images/types.go.
 */
export class ContainerError extends Error {
  readonly reason: ContainerErrorReason;

  constructor(reason: ContainerErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ContainerError';
    this.reason = reason;
  }
}

/** Source: kubelet, container/sync_result.go and images/types.go. */
export type ContainerErrorReason =
  | 'CreateContainerConfigError'
  | 'CreateContainerError'
  | 'RunContainerError'
  | 'PostStartHookError'
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'ErrImageNeverPull'
  | 'ImageInspectError'
  | 'InvalidImageName';
