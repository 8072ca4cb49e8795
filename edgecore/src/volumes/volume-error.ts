import { PodError } from '../pods/pod-error.ts';

/** Why a volume cannot be shown, without its name: the part of a kubelet's message after the colon. */
export class VolumeError extends Error {
  /** It cannot ever work on this node. */
  readonly isFinal: boolean;

  constructor(message: string, options: ErrorOptions & { readonly isFinal?: boolean } = {}) {
    const { isFinal = false, ...rest } = options;
    super(message, rest);
    this.name = 'VolumeError';
    this.isFinal = isFinal;
  }
}

/** Several reasons as one, as a kubelet lists them. Source: k8s.io/apimachinery util/errors, Aggregate. */
export function aggregate(errors: readonly VolumeError[]): VolumeError | undefined {
  const [first] = errors;
  const messages = [...new Set(errors.map(({ message }) => message))];
  if (first === undefined || messages.length === 1) return first;
  return new VolumeError(`[${messages.join(', ')}]`, { isFinal: errors.some(({ isFinal }) => isFinal) });
}

/**
 * The error of a volume that could not be made ready.
 * @param step what of a kubelet's steps it was
 * @param name the volume as the pod names it; that of the PersistentVolume where it is one
 */
export function failedMount(
  name: string,
  cause: unknown,
  step: 'SetUp failed' | 'NodeAffinity check failed' | 'NewMounter initialization failed' = 'SetUp failed',
): PodError {
  const isFinal = cause instanceof VolumeError && cause.isFinal;
  return new PodError('FailedMount', `MountVolume.${step} for volume "${name}" : ${messageOf(cause)}`, {
    cause,
    isFinal,
  });
}

/** What went wrong, in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
