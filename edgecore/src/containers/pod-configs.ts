import type { ContainerMount, ContainerConfig, SandboxConfig } from '../runtime/container-config.ts';
import type { RuntimeImage } from '../runtime/image-store.ts';
import type { Pod, PodContainer } from '../pods/pod.ts';

/** What a container's configuration is made from, beside the pod. */
export interface ContainerInput {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly attempt: number;
  readonly image: RuntimeImage;
  readonly env: ReadonlyMap<string, string>;
  /** From `PodVolumes.mounts`. */
  readonly mounts: readonly ContainerMount[];
  /** From `PodVolumes.supplementalGroups`. */
  readonly volumeGroups: readonly number[];
  /** First address of the pod, of the host where it is on the host's network. */
  readonly podIps: readonly string[];
}

/** Turns pods into what a runtime is told. */
export interface PodConfigs {
  /**
   * Whether this node can run the pod at all; what it cannot is never ignored silently. To be asked whenever the pod is
   * another one: what is ignored all the same is said by an event of the pod, once.
   * @returns reason and message of a final refusal, undefined: it can
   */
  refusal(pod: Pod): { readonly reason: string; readonly message: string } | undefined;
  /**
   * @param cgroupParent from `PodCgroups.ensure`
   * @throws PodError `FailedCreatePodSandBox`: the host's resolv.conf cannot be read, the pod's name is too long for
   *   its `setHostnameAsFQDN`
   */
  sandbox(pod: Pod, attempt: number, cgroupParent: string): SandboxConfig;
  /** Makes ready on the disk what the containers of a pod will need; what it cannot do is done when it is needed. */
  prepare(pod: Pod): Promise<void>;
  /**
   * The environment of a container: `envFrom`, `env` in every form, `$(VAR)` expanded.
   * @param podIps for `status.podIP` and `status.podIPs`
   * @throws ContainerError `CreateContainerConfigError`
   */
  environment(
    pod: Pod,
    container: PodContainer,
    podIps: readonly string[],
  ): Promise<ReadonlyMap<string, string>>;
  /**
   * A container's configuration. Writes what is mounted into it: its `/etc/hosts`, its termination message.
   * @throws ContainerError `CreateContainerConfigError`
   */
  container(input: ContainerInput): Promise<ContainerConfig>;
  /** See `ContainerNotes.specHash`. */
  specHash(container: PodContainer): string;
}
