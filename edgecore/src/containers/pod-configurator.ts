import { readFile } from 'node:fs/promises';
import type { EdgeConfig } from '../config/options.ts';
import type { ApiForPods } from '../local-api/api-for-pods.ts';
import type { ObjectSource } from '../objects/object-source.ts';
import { ContainerError } from '../pods/container-error.ts';
import type { Pod, PodContainer, Quantities } from '../pods/pod.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import { PodError } from '../pods/pod-error.ts';
import type { PodFolders } from '../pods/pod-folders.ts';
import type { ContainerConfig, ContainerMount, SandboxConfig } from '../runtime/container-config.ts';
import { ConfigObjects } from './config-objects.ts';
import { ContainerFiles } from './container-files.ts';
import { podDns } from './dns.ts';
import { containerEnvironment } from './environment.ts';
import { expandVariables } from './expansion.ts';
import { HostDns } from './host-dns.ts';
import { podHostname } from './hostname.ts';
import { hostNetworkHostsFile, podHostsFile } from './hosts-file.ts';
import { ignoredParts } from './ignored-parts.ts';
import { namespacesOf } from './namespaces.ts';
import type { NodeTraits } from './node-traits.ts';
import { OncePerPod } from './once-per-pod.ts';
import type { ContainerInput, PodConfigs } from './pod-configs.ts';
import { containerPorts, portMappings } from './ports.ts';
import { refusalOf, type Refusal } from './refusal.ts';
import { containerResources, sandboxResources } from './resources.ts';
import { containerSecurity, sandboxSecurity } from './security.ts';
import { specHash } from './spec-hash.ts';
import { sysctlsOf } from './sysctls.ts';

/** What {@link PodConfigurator} needs. */
export interface PodConfiguratorOptions {
  readonly config: Pick<
    EdgeConfig['pods'],
    'clusterDns' | 'clusterDomain' | 'resolvConf' | 'seccompRoot' | 'seccompDefault' | 'runtimeClasses'
  >;
  readonly objects: ObjectSource;
  readonly folders: PodFolders;
  readonly events: PodEvents;
  readonly traits: NodeTraits;
  /** The node's addresses, one a family, first one first. */
  readonly hostIps: () => readonly string[];
  /** What the node has for pods, as in its status. */
  readonly allocatable: () => Quantities;
  /** What pods are told of the local API. Default: nothing. */
  readonly apiForPods?: Pick<ApiForPods, 'server'> | undefined;
  /** The host's own. Default `/etc/hosts`. */
  readonly hostsFile?: string;
}

const HOSTS_PATH = '/etc/hosts';
/** Source: the defaults of core/v1 in Kubernetes. */
const DEFAULT_MESSAGE_PATH = '/dev/termination-log';

/** Makes configurations out of pods, as a kubelet does. Each part of it is a function in a file of its own. */
export class PodConfigurator implements PodConfigs {
  readonly #options: PodConfiguratorOptions;
  readonly #files: ContainerFiles;
  readonly #hostDns: HostDns;
  readonly #clusterDns: readonly string[];
  readonly #runtimeClasses: ReadonlySet<string>;
  readonly #told: OncePerPod;

  constructor(options: PodConfiguratorOptions) {
    const { config, events, folders } = options;
    this.#options = options;
    this.#files = new ContainerFiles(folders);
    this.#hostDns = new HostDns(config.resolvConf);
    this.#clusterDns = config.clusterDns.split(',').filter((address) => address !== '');
    this.#runtimeClasses = new Set(Object.keys(config.runtimeClasses));
    this.#told = new OncePerPod(events);
  }

  /** What of the pod is ignored is said here, once for each pod: see {@link ignoredParts}. */
  refusal(pod: Pod): Refusal | undefined {
    for (const { reason, message } of ignoredParts(pod)) this.#told.warn(pod, reason, message);
    const { kernel, hasAppArmor } = this.#options.traits;
    return refusalOf(pod, { kernel, hasAppArmor, runtimeClasses: this.#runtimeClasses });
  }

  sandbox(pod: Pod, attempt: number, cgroupParent: string): SandboxConfig {
    const { config, folders } = this.#options;
    const { metadata, spec } = pod;
    const { kernelName } = podHostname(pod, config.clusterDomain);
    return {
      uid: metadata.uid,
      namespace: metadata.namespace,
      name: metadata.name,
      attempt,
      hostname: spec.hostNetwork === true ? '' : kernelName,
      logDirectory: folders.logs(pod),
      dns: this.#dns(pod),
      portMappings: portMappings(pod),
      containerPorts: containerPorts(pod),
      labels: metadata.labels ?? {},
      annotations: metadata.annotations ?? {},
      cgroupParent,
      sysctls: sysctlsOf(pod),
      namespaces: namespacesOf(spec),
      security: sandboxSecurity(pod),
      resources: sandboxResources(pod),
      runtimeHandler: this.#handler(spec.runtimeClassName ?? ''),
    };
  }

  async prepare({ metadata, spec }: Pod): Promise<void> {
    const names = [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name);
    // A disk that refuses now is asked again, and heard, when there is something to be written.
    await this.#files.prepare(metadata.uid, names).catch(() => {});
  }

  environment(
    pod: Pod,
    container: PodContainer,
    podIps: readonly string[],
  ): Promise<ReadonlyMap<string, string>> {
    const { objects, hostIps, allocatable, events, apiForPods } = this.#options;
    return containerEnvironment({
      apiServer: apiForPods?.server(pod),
      pod,
      container,
      objects: new ConfigObjects(objects, pod.metadata.namespace),
      addresses: { hostIps: hostIps(), podIps },
      allocatable: allocatable(),
      onSkipped: (reason, message) => {
        events.record(pod, 'Warning', reason, message, container.name);
      },
    });
  }

  async container(input: ContainerInput): Promise<ContainerConfig> {
    const { pod, container, attempt, image, env } = input;
    const { config, folders, traits } = this.#options;
    const { command = [], args = [] } = container;
    // First what needs no disk: a container that must not be started leaves nothing behind.
    const security = containerSecurity(pod, container, image, input.volumeGroups, config);
    const messagePath = container.terminationMessagePath ?? DEFAULT_MESSAGE_PATH;
    const written = await this.#write(input, messagePath);
    return {
      name: container.name,
      attempt,
      imageRef: image.id,
      image: container.image ?? '',
      command: command.map((text) => expandVariables(text, env)),
      args: args.map((text) => expandVariables(text, env)),
      workingDir: container.workingDir ?? '',
      env: [...env].map(([key, value]) => ({ key, value })),
      mounts: [...input.mounts, ...written.mounts],
      devices: [],
      logPath: folders.logPath(container.name, attempt),
      stdin: container.stdin === true,
      stdinOnce: container.stdinOnce === true,
      tty: container.tty === true,
      namespaces: namespacesOf(pod.spec),
      resources: containerResources(pod, container, traits),
      security,
      notes: {
        specHash: specHash(container),
        terminationMessagePath: messagePath,
        terminationMessagePolicy: container.terminationMessagePolicy ?? 'File',
        ...(written.messageFile !== undefined && { terminationMessageFile: written.messageFile }),
      },
    };
  }

  specHash(container: PodContainer): string {
    return specHash(container);
  }

  #dns(pod: Pod): SandboxConfig['dns'] {
    const { config, hostIps } = this.#options;
    const { dns, warnings } = podDns(pod, {
      clusterDns: this.#clusterDns,
      clusterDomain: config.clusterDomain,
      host: this.#readHostDns(),
      hostIps: hostIps(),
    });
    for (const { reason, message } of warnings) this.#told.warn(pod, reason, message);
    return dns;
  }

  #readHostDns(): ReturnType<HostDns['read']> {
    try {
      return this.#hostDns.read();
    } catch (error) {
      const { message } = error as Error;
      throw new PodError('FailedCreatePodSandBox', `Failed to create pod sandbox: ${message}`, {
        cause: error,
      });
    }
  }

  /** Empty: the runtime's default, for pods that name no class; for others {@link refusal} has said no. */
  #handler(runtimeClass: string): string {
    const { runtimeClasses } = this.#options.config;
    return Object.hasOwn(runtimeClasses, runtimeClass) ? (runtimeClasses[runtimeClass] ?? '') : '';
  }

  async #write(
    { pod, container, attempt, podIps }: ContainerInput,
    messagePath: string,
  ): Promise<{ readonly mounts: readonly ContainerMount[]; readonly messageFile?: string }> {
    const { uid } = pod.metadata;
    try {
      const [hosts, messageFile] = await Promise.all([
        mountsHosts(pod, container, podIps) ? this.#writeHosts(pod, podIps) : undefined,
        messagePath === '' ? undefined : this.#files.terminationMessage(uid, container.name, attempt),
      ]);
      return {
        mounts: [
          ...(hosts === undefined ? [] : [{ hostPath: hosts, containerPath: HOSTS_PATH }]),
          ...(messageFile === undefined ? [] : [{ hostPath: messageFile, containerPath: messagePath }]),
        ],
        ...(messageFile !== undefined && { messageFile }),
      };
    } catch (error) {
      throw new ContainerError('CreateContainerConfigError', (error as Error).message, { cause: error });
    }
  }

  async #writeHosts(pod: Pod, podIps: readonly string[]): Promise<string> {
    return this.#files.hosts(pod.metadata.uid, await this.#hosts(pod, podIps));
  }

  async #hosts(pod: Pod, podIps: readonly string[]): Promise<string> {
    const { hostNetwork, hostAliases } = pod.spec;
    if (hostNetwork === true) {
      return hostNetworkHostsFile(await readFile(this.#options.hostsFile ?? HOSTS_PATH, 'utf8'), hostAliases);
    }
    const { hostname, domain } = podHostname(pod, this.#options.config.clusterDomain);
    return podHostsFile(podIps, hostname, domain, hostAliases);
  }
}

/** Not where the container mounts one of its own. Source: kubelet, kubelet_pods.go shouldMountHostsFile. */
function mountsHosts(pod: Pod, container: PodContainer, podIps: readonly string[]): boolean {
  if (podIps.length === 0 && pod.spec.hostNetwork !== true) return false;
  return !(container.volumeMounts ?? []).some(({ mountPath }) => mountPath === HOSTS_PATH);
}
