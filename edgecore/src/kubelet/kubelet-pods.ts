import type { Pod } from '../pods/pod.ts';
import type { PodStatus } from '../pods/pod-status-types.ts';
import type { ContainerRuntime, RuntimeContainer, StreamRequest } from '../runtime/container-runtime.ts';
import { KubeletFailure } from './kubelet-failure.ts';
import type { ContainerStreamRoute, LogRoute, PortForwardRoute } from './kubelet-route.ts';
import { containerIdForLogs } from './log-container.ts';
import { readForwardPorts, readStreamOptions } from './stream-options.ts';

/** What the kubelet API knows the pods of the node by. */
export interface KubeletPodsOptions {
  /** The pods that the store has. */
  readonly pods: () => readonly Pod[];
  /** The last status of a pod, by UID. */
  readonly statusOf: (uid: string) => PodStatus | undefined;
  readonly runtime: Pick<ContainerRuntime, 'get' | 'name'>;
}

type StreamRoute = ContainerStreamRoute | PortForwardRoute;

/** Finds what requests name: the pod in the store, its container in the runtime; or says what is wrong with it. */
export class KubeletPods {
  readonly #options: KubeletPodsOptions;

  constructor(options: KubeletPodsOptions) {
    this.#options = options;
  }

  /** A pod of the store by its names; undefined: there is none. */
  find(namespace: string, name: string): Pod | undefined {
    return this.#options
      .pods()
      .find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  }

  /**
   * The container whose log is asked for. Source: kubelet, getContainerLogs and GetKubeletContainerLogs.
   * @throws KubeletFailure 404 for a pod or container that is not there, 400 for one that has no log; RuntimeError
   */
  async forLogs(
    at: Omit<LogRoute, 'kind'>,
    previous: boolean,
  ): Promise<{ readonly uid: string; readonly container: RuntimeContainer }> {
    const { namespace, pod: name, container } = at;
    const pod = this.find(namespace, name);
    if (pod === undefined) throw new KubeletFailure(404, `pod "${name}" does not exist`);
    if (!hasContainer(pod, container)) {
      throw new KubeletFailure(404, `container "${container}" not found in pod "${name}"`);
    }
    const { uid } = pod.metadata;
    const id = this.#idForLogs(name, this.#options.statusOf(uid), container, previous);
    const present = await this.#options.runtime.get(uid);
    const found = present?.containers.find((other) => other.id === id);
    if (found !== undefined) return { uid, container: found };
    const { name: runtime } = this.#options.runtime;
    throw new KubeletFailure(400, `unable to retrieve container logs for ${runtime}://${id}`);
  }

  /**
   * What to ask the runtime for. Source: kubelet, getExec, getAttach, getPortForward, findContainer.
   * @throws KubeletFailure 400 for a query that is not valid, 404 for a pod that is not there, 500 for a container or
   *   sandbox that does not run; RuntimeError
   */
  async forStream(route: StreamRoute, query: URLSearchParams, isWebSocket: boolean): Promise<StreamRequest> {
    return route.kind === 'port-forward'
      ? await this.#forPortForward(route, readForwardPorts(query, isWebSocket))
      : await this.#forContainer(route, query);
  }

  async #forContainer(route: ContainerStreamRoute, query: URLSearchParams): Promise<StreamRequest> {
    const streams = readStreamOptions(query);
    const pod = this.#presentPod(route);
    const found = (await this.#options.runtime.get(pod.metadata.uid))?.containers.find(
      ({ name, state }) => name === route.container && state === 'running',
    );
    if (route.kind === 'exec') {
      if (found === undefined) throw new KubeletFailure(500, `container not found ("${route.container}")`);
      return { kind: 'exec', containerId: found.id, command: query.getAll('command'), ...streams };
    }
    if (found === undefined) {
      const message = `container ${route.container} not found in pod ${route.pod}_${route.namespace}`;
      throw new KubeletFailure(500, message);
    }
    // Whether there is a terminal was decided when the container was made.
    const tty = pod.spec.containers.find(({ name }) => name === route.container)?.tty ?? false;
    return { kind: 'attach', containerId: found.id, ...streams, stderr: streams.stderr && !tty, tty };
  }

  async #forPortForward(route: PortForwardRoute, ports: readonly number[]): Promise<StreamRequest> {
    const { uid } = this.#presentPod(route).metadata;
    const sandbox = (await this.#options.runtime.get(uid))?.sandboxes.find(({ ready }) => ready);
    if (sandbox === undefined) {
      throw new KubeletFailure(500, `pod not found ("${route.pod}_${route.namespace}")`);
    }
    return { kind: 'port-forward', sandboxId: sandbox.id, ports };
  }

  #presentPod({ namespace, pod: name, uid }: StreamRoute): Pod {
    const pod = this.find(namespace, name);
    if (pod === undefined) throw new KubeletFailure(404, 'pod does not exist');
    if (uid === undefined || uid === pod.metadata.uid) return pod;
    throw new KubeletFailure(404, 'pod not found');
  }

  #idForLogs(name: string, status: PodStatus | undefined, container: string, previous: boolean): string {
    try {
      return containerIdForLogs(name, status, container, previous);
    } catch (error) {
      throw new KubeletFailure(400, (error as Error).message, { cause: error }); // that is all it throws
    }
  }
}

function hasContainer({ spec }: Pod, name: string): boolean {
  return [...spec.containers, ...(spec.initContainers ?? [])].some((container) => container.name === name);
}
