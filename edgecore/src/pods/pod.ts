import type { PodVolume } from './volume-source.ts';
import type { ContainerSecurityContext, PodSecurityContext } from './security-context.ts';

/** What the edge reads of a Pod. Source: Kubernetes API, core/v1 Pod. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
    /** RFC 3339; set: the pod is to end. */
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
  };
  readonly spec: PodSpec;
}

/** Source: core/v1 PodSpec. */
export interface PodSpec {
  readonly nodeName?: string;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  readonly terminationGracePeriodSeconds?: number;
  readonly activeDeadlineSeconds?: number;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly hostUsers?: boolean;
  readonly shareProcessNamespace?: boolean;
  readonly hostname?: string;
  /** In place of the pod's name, of `hostname` and of `subdomain`. Source: KEP-4762. */
  readonly hostnameOverride?: string;
  readonly subdomain?: string;
  readonly setHostnameAsFQDN?: boolean;
  readonly hostAliases?: readonly { readonly ip: string; readonly hostnames?: readonly string[] }[];
  readonly dnsPolicy?: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None';
  readonly dnsConfig?: {
    readonly nameservers?: readonly string[];
    readonly searches?: readonly string[];
    readonly options?: readonly { readonly name?: string; readonly value?: string }[];
  };
  readonly runtimeClassName?: string;
  readonly priority?: number;
  readonly priorityClassName?: string;
  readonly overhead?: Quantities;
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly imagePullSecrets?: readonly { readonly name?: string }[];
  readonly securityContext?: PodSecurityContext;
  readonly readinessGates?: readonly { readonly conditionType: string }[];
  readonly containers: readonly PodContainer[];
  readonly initContainers?: readonly PodContainer[];
  /** Not run by this release: refused with a condition and an event. */
  readonly ephemeralContainers?: readonly PodContainer[];
  readonly volumes?: readonly PodVolume[];
}

/** Amounts by resource, as the API has them: `{cpu: '500m', memory: '64Mi'}`. */
export type Quantities = Readonly<Record<string, string | number>>;

/** A container of a pod's spec. Source: core/v1 Container. */
export interface PodContainer {
  readonly name: string;
  readonly image?: string;
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly ports?: readonly ContainerPort[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly EnvFromSource[];
  readonly resources?: { readonly requests?: Quantities; readonly limits?: Quantities };
  readonly volumeMounts?: readonly VolumeMount[];
  readonly volumeDevices?: readonly { readonly name: string; readonly devicePath: string }[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: { readonly postStart?: LifecycleHandler; readonly preStop?: LifecycleHandler };
  readonly terminationMessagePath?: string;
  readonly terminationMessagePolicy?: 'File' | 'FallbackToLogsOnError';
  readonly securityContext?: ContainerSecurityContext;
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly tty?: boolean;
  /** `Always` on an init container: a sidecar, which runs beside the others. Overrides the pod's (KEP-5307). */
  readonly restartPolicy?: string;
  /** Looked at before {@link restartPolicy}; only where there is one. Source: core/v1 ContainerRestartRule. */
  readonly restartPolicyRules?: readonly {
    readonly action: string;
    readonly exitCodes?: { readonly operator: 'In' | 'NotIn'; readonly values?: readonly number[] };
  }[];
}

/** Source: core/v1 ContainerPort. */
export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly hostPort?: number;
  readonly hostIP?: string;
  /** Default TCP. */
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
}

/** One key of a configMap or secret. */
export interface KeySelector {
  readonly name?: string;
  readonly key: string;
  readonly optional?: boolean;
}

/** Source: core/v1 ObjectFieldSelector. */
export interface FieldSelector {
  readonly fieldPath: string;
  readonly apiVersion?: string;
}

/** Source: core/v1 ResourceFieldSelector. */
export interface ResourceSelector {
  readonly containerName?: string;
  readonly resource: string;
  /** Default `1`, which is 0 as well. */
  readonly divisor?: string | number;
}

/** Source: core/v1 EnvVar. */
export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: FieldSelector;
    readonly resourceFieldRef?: ResourceSelector;
    readonly configMapKeyRef?: KeySelector;
    readonly secretKeyRef?: KeySelector;
  };
}

/** Source: core/v1 EnvFromSource. */
export interface EnvFromSource {
  readonly prefix?: string;
  readonly configMapRef?: { readonly name?: string; readonly optional?: boolean };
  readonly secretRef?: { readonly name?: string; readonly optional?: boolean };
}

/** Source: core/v1 VolumeMount. */
export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  readonly recursiveReadOnly?: string;
  readonly subPath?: string;
  readonly subPathExpr?: string;
  readonly mountPropagation?: 'None' | 'HostToContainer' | 'Bidirectional';
}

/** What a probe or a hook does. Exactly one of them. Source: core/v1 ProbeHandler, LifecycleHandler. */
export interface Handler {
  readonly exec?: { readonly command?: readonly string[] };
  readonly httpGet?: {
    readonly path?: string;
    readonly port: number | string;
    readonly host?: string;
    /** Default HTTP. */
    readonly scheme?: 'HTTP' | 'HTTPS';
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
  };
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string };
}

/** Source: core/v1 LifecycleHandler. */
export interface LifecycleHandler extends Handler {
  readonly sleep?: { readonly seconds: number };
}

/** Source: core/v1 Probe. */
export interface Probe extends Handler {
  readonly grpc?: { readonly port: number; readonly service?: string };
  /** Default 0. */
  readonly initialDelaySeconds?: number;
  /** Default 10. */
  readonly periodSeconds?: number;
  /** Default 1. */
  readonly timeoutSeconds?: number;
  /** Default 1. */
  readonly successThreshold?: number;
  /** Default 3. */
  readonly failureThreshold?: number;
  /** Overrides that of the pod when the probe fails. */
  readonly terminationGracePeriodSeconds?: number;
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

/** A container of a pod, or an init container. */
export function containerOf({ spec }: Pod, name: string): PodContainer | undefined {
  return [...spec.containers, ...(spec.initContainers ?? [])].find((container) => container.name === name);
}

/** An init container that goes on beside the others. Source: KEP-753, sidecar containers. */
export function isSidecar(container: PodContainer): boolean {
  return container.restartPolicy === 'Always';
}

/** How long its containers may take to end, seconds; the default where nobody knows the pod. Source: `deletionGracePeriodSeconds` in core/v1. */
export function graceSeconds(pod: Pod | undefined): number {
  const { metadata, spec } = pod ?? {};
  return metadata?.deletionGracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
}
