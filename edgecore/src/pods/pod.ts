/** What the edge reads of a Pod. Source: Kubernetes API, core/v1 Pod. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    /** RFC 3339; set: the pod is to end. */
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
    readonly terminationGracePeriodSeconds?: number;
    readonly hostNetwork?: boolean;
    readonly serviceAccountName?: string;
    readonly containers: readonly PodContainer[];
    readonly initContainers?: readonly PodContainer[];
    readonly volumes?: readonly PodVolume[];
  };
}

/** A container of a pod's spec. */
export interface PodContainer {
  readonly name: string;
  readonly image?: string;
  /** `Always` on an init container: a sidecar, which runs beside the others. */
  readonly restartPolicy?: string;
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string | number>>;
    readonly limits?: Readonly<Record<string, string | number>>;
  };
}

/** A volume, as far as tokens are concerned. */
export interface PodVolume {
  readonly name: string;
  readonly projected?: { readonly sources?: readonly { readonly serviceAccountToken?: TokenProjection }[] };
}

/** A token of the pod's service account, put into a file. */
export interface TokenProjection {
  /** Empty or absent: the audience of the API server. */
  readonly audience?: string;
  /** Default 3600. */
  readonly expirationSeconds?: number;
  readonly path: string;
}

/** What became of reading a pod. */
export type PodRead = { readonly pod: Pod } | { readonly problem: string };

/** Resource part of the keys of pods: `pods/<namespace>/<name>`. */
export const PODS = 'pods/';
/** Source: the defaults of core/v1 in Kubernetes. */
export const DEFAULT_GRACE_SECONDS = 30;

/**
 * Reads a pod from canonical JSON, and checks what everything here rests on. The rest is as the API server let it
 * through; what of it is missing has its default.
 */
export function readPod(bytes: Uint8Array): PodRead {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    return { problem: `no JSON: ${(error as Error).message}` };
  }
  const pod = value as Partial<Pod> | null;
  const { name, namespace, uid } = (pod?.metadata ?? {}) as Partial<Pod['metadata']>;
  if (![name, namespace, uid].every((text) => typeof text === 'string' && text !== '')) {
    return { problem: 'it has no name, namespace or uid' };
  }
  const { containers, initContainers = [] } = (pod?.spec ?? {}) as Partial<Pod['spec']>;
  if (!areContainers(containers) || containers.length === 0) return { problem: 'it has no containers' };
  if (!areContainers(initContainers)) return { problem: 'its init containers are not readable' };
  return { pod: value as Pod };
}

function areContainers(value: unknown): value is readonly PodContainer[] {
  return (
    Array.isArray(value) &&
    value.every((item: unknown) => {
      const name = (item as Partial<PodContainer> | null)?.name;
      return typeof name === 'string' && name !== '';
    })
  );
}

/** `namespace/name`, for logs and events. */
export function podName(pod: Pod): string {
  return `${pod.metadata.namespace}/${pod.metadata.name}`;
}

/** An init container that goes on beside the others. Source: KEP-753, sidecar containers. */
export function isSidecar(container: PodContainer): boolean {
  return container.restartPolicy === 'Always';
}

/** How long its containers may take to end, seconds. Source: `deletionGracePeriodSeconds` in core/v1. */
export function graceSeconds(pod: Pod): number {
  const { metadata, spec } = pod;
  return metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
}
