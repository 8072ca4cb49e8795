/**
 * Why a pod cannot go on for now: reason and message of a Warning event, as a kubelet says them (`FailedMount`,
 * `FailedCreatePodSandBox`, `FailedSync`). It is tried again with back-off.
 */
export class PodError extends Error {
  readonly reason: string;
  /** What cannot ever work for this pod is not tried again: the pod fails, with this reason in its status. */
  readonly isFinal: boolean;

  constructor(reason: string, message: string, options: ErrorOptions & { readonly isFinal?: boolean } = {}) {
    const { isFinal = false, ...rest } = options;
    super(message, rest);
    this.name = 'PodError';
    this.reason = reason;
    this.isFinal = isFinal;
  }
}
