import type { Clock } from '@hawser/seams';
import type { ContainerConfig, SandboxConfig } from './container-config.ts';
import type { RuntimeContainer, RuntimePod, RuntimeSandbox } from './container-runtime.ts';
import { RuntimeError } from './runtime-error.ts';

/** How a container ended. */
export interface ContainerExit {
  readonly exitCode: number;
  /** Default: `Completed` or `Error`, by the exit code. */
  readonly reason?: string;
  readonly message?: string;
}

/** Pods, as runtimes that run nothing keep them: what was made of them, and what state it is said to be in. */
export class PodTable {
  readonly #clock: Clock;
  readonly #pods = new Map<string, RuntimePod>();
  readonly #newId: () => string;

  /** @param newId makes ids of sandboxes and containers */
  constructor(clock: Clock, newId: () => string) {
    this.#clock = clock;
    this.#newId = newId;
  }

  all(): readonly RuntimePod[] {
    return [...this.#pods.values()];
  }

  get(uid: string): RuntimePod | undefined {
    return this.#pods.get(uid);
  }

  /** Takes a pod as it was kept somewhere. */
  put(pod: RuntimePod): void {
    this.#pods.set(pod.uid, pod);
  }

  clear(): void {
    this.#pods.clear();
  }

  /** The pod that a sandbox is of. */
  ofSandbox(id: string): RuntimePod | undefined {
    return this.all().find(({ sandboxes }) => sandboxes.some((sandbox) => sandbox.id === id));
  }

  /** A container, and its pod. */
  find(id: string): { readonly pod: RuntimePod; readonly container: RuntimeContainer } | undefined {
    for (const pod of this.#pods.values()) {
      const container = pod.containers.find((one) => one.id === id);
      if (container !== undefined) return { pod, container };
    }
    return undefined;
  }

  /** @throws RuntimeError there is no such container */
  container(id: string): { readonly pod: RuntimePod; readonly container: RuntimeContainer } {
    const found = this.find(id);
    if (found !== undefined) return found;
    throw new RuntimeError('ERR_EDGECORE_RUNTIME', `no container ${id}`, { notFound: true, about: id });
  }

  /** The sandbox of this attempt, made if it is not there. */
  makeSandbox(config: SandboxConfig, ips: readonly string[]): RuntimeSandbox {
    const { uid, namespace, name, attempt } = config;
    const pod = this.#pods.get(uid) ?? { uid, namespace, name, sandboxes: [], containers: [] };
    const present = pod.sandboxes.find((sandbox) => sandbox.attempt === attempt);
    if (present !== undefined) return present;
    const sandbox = { id: this.#newId(), attempt, ready: true, createdAtMs: this.#clock.wallMs(), ips };
    const sandboxes = [...pod.sandboxes, sandbox].sort((one, other) => other.attempt - one.attempt);
    this.put({ ...pod, sandboxes });
    return sandbox;
  }

  /** Its containers end, and it is not ready any more. */
  stopSandbox(id: string, exit: ContainerExit): void {
    const pod = this.ofSandbox(id);
    if (pod === undefined) return;
    for (const container of pod.containers) if (container.sandboxId === id) this.exit(container.id, exit);
    const present = this.#pods.get(pod.uid) ?? pod;
    this.put({
      ...present,
      sandboxes: present.sandboxes.map((sandbox) =>
        sandbox.id === id ? { ...sandbox, ready: false, ips: [] } : sandbox,
      ),
    });
  }

  /** Removes it, and its containers; the pod, where it was the last one. */
  removeSandbox(id: string): void {
    const pod = this.ofSandbox(id);
    if (pod === undefined) return;
    const sandboxes = pod.sandboxes.filter((sandbox) => sandbox.id !== id);
    const containers = pod.containers.filter(({ sandboxId }) => sandboxId !== id);
    if (sandboxes.length === 0) this.#pods.delete(pod.uid);
    else this.put({ ...pod, sandboxes, containers });
  }

  /** The container of this name and attempt, made if it is not there. @throws RuntimeError no sandbox, or one that has ended */
  makeContainer(sandboxId: string, logDirectory: string, config: ContainerConfig): RuntimeContainer {
    const pod = this.ofSandbox(sandboxId);
    const sandbox = pod?.sandboxes.find(({ id }) => id === sandboxId);
    if (pod === undefined || sandbox === undefined)
      throw new RuntimeError('ERR_EDGECORE_RUNTIME', `no sandbox ${sandboxId}`, {
        notFound: true,
        about: sandboxId,
      });
    const { name, attempt, image, imageRef, notes } = config;
    const present = pod.containers.find((one) => one.name === name && one.attempt === attempt);
    if (present !== undefined) return present;
    if (!sandbox.ready)
      throw new RuntimeError('ERR_EDGECORE_RUNTIME', `sandbox ${sandboxId} has ended`, { about: sandboxId });
    const container: RuntimeContainer = {
      name,
      id: this.#newId(),
      sandboxId,
      attempt,
      image,
      imageId: imageRef,
      state: 'created',
      createdAtMs: this.#clock.wallMs(),
      logPath: config.logPath === '' ? '' : `${logDirectory}/${config.logPath}`,
      notes,
    };
    const containers = [...pod.containers, container].sort(
      (one, other) => other.attempt - one.attempt || other.createdAtMs - one.createdAtMs,
    );
    this.put({ ...pod, containers });
    return container;
  }

  /** @throws RuntimeError there is none, or it has ended */
  startContainer(id: string): void {
    const { pod, container } = this.container(id);
    if (container.state === 'running') return;
    if (container.state !== 'created')
      throw new RuntimeError('ERR_EDGECORE_RUNTIME', `container ${id} has ended`, { about: id });
    this.#replace(pod, { ...container, state: 'running', startedAtMs: this.#clock.wallMs() });
  }

  /** It has ended, which its state does not say yet. One that does not run: nothing to do. */
  tellEnd(id: string, exitCode: number): void {
    const found = this.find(id);
    if (found?.container.state !== 'running') return;
    this.#replace(found.pod, { ...found.container, ended: { exitCode, finishedAtMs: this.#clock.wallMs() } });
  }

  /** It ends. One that has ended, or is not there: nothing to do. */
  exit(id: string, { reason, message, ...exit }: ContainerExit): void {
    const found = this.find(id);
    if (found === undefined || found.container.state === 'exited') return;
    const { ended, ...container } = found.container;
    const { exitCode } = ended ?? exit; // what was told stays
    this.#replace(found.pod, {
      ...container,
      state: 'exited',
      finishedAtMs: ended?.finishedAtMs ?? this.#clock.wallMs(),
      exitCode,
      reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
      ...(message !== undefined && { message }),
    });
  }

  removeContainer(id: string): void {
    const found = this.find(id);
    if (found === undefined) return;
    this.put({ ...found.pod, containers: found.pod.containers.filter((one) => one.id !== id) });
  }

  #replace(pod: RuntimePod, container: RuntimeContainer): void {
    this.put({
      ...pod,
      containers: pod.containers.map((one) => (one.id === container.id ? container : one)),
    });
  }
}
