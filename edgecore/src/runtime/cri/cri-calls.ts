import type { CriClient } from '../../cri/cri-client.ts';
import { ContainerState } from '../../cri/container-messages.ts';
import { GRPC, grpcStatusOf } from '../../cri/grpc-status.ts';
import { PodSandboxState } from '../../cri/sandbox-messages.ts';
import type { ContainerConfig, SandboxConfig } from '../container-config.ts';
import { RuntimeError } from '../runtime-error.ts';
import { containerMessage, sandboxMessage } from './config-message.ts';
import type { PodCache } from './pod-cache.ts';
import { ifThere, type PodReader } from './pod-reader.ts';

/** What {@link CriCalls} are made of. */
export interface CriCallsOptions {
  readonly client: CriClient;
  readonly reader: PodReader;
  readonly cache: PodCache;
  readonly owner: string;
}

/** A sandbox takes the network's time, too. Source: kubelet, cri-client, twice `runtimeRequestTimeout`. */
const RUN_SANDBOX_TIMEOUT_MS = 240_000;
/** What a runtime may take to end a container beyond its grace: a kill, and a disk that is busy. */
const STOP_MARGIN_MS = 60_000;

/** The calls that make, start, end and remove. Each may be made again after it was cut off at any point. */
export class CriCalls {
  readonly #client: CriClient;
  readonly #reader: PodReader;
  readonly #cache: PodCache;
  readonly #owner: string;

  constructor(options: CriCallsOptions) {
    this.#client = options.client;
    this.#reader = options.reader;
    this.#cache = options.cache;
    this.#owner = options.owner;
  }

  /** As `ContainerRuntime.createSandbox`. */
  async createSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string> {
    let id: string;
    try {
      id = await this.#runSandbox(config, signal);
    } catch (error) {
      this.#cache.doubt(); // it may be there all the same, now or soon
      if (!isNameTaken(error)) throw error;
      id = await this.#takeOverSandbox(config, error, signal);
    }
    this.#cache.noteMade(id, 'sandbox', config.uid);
    return id;
  }

  /** As `ContainerRuntime.createContainer`. */
  async createContainer(
    podSandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
    signal: AbortSignal,
  ): Promise<string> {
    const create = async (): Promise<string> => {
      const request = {
        podSandboxId,
        config: containerMessage(sandbox, config, this.#owner),
        sandboxConfig: sandboxMessage(sandbox, this.#owner),
      };
      return (await this.#client.call('CreateContainer', request, { signal })).containerId;
    };
    let id: string;
    try {
      id = await create();
    } catch (error) {
      if (!isNameTaken(error)) throw error;
      const present = await this.#findContainer(podSandboxId, sandbox, config, signal);
      if (present === undefined) throw error;
      if (present.state === ContainerState.CONTAINER_UNKNOWN) {
        await this.removeContainer(present.id, signal);
        id = await create();
      } else {
        id = present.id;
      }
    }
    this.#cache.noteMade(id, 'container', sandbox.uid);
    return id;
  }

  /** As `ContainerRuntime.startContainer`; one that runs already is started. */
  async startContainer(containerId: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.call('StartContainer', { containerId }, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (grpcStatusOf(error) === undefined) throw error; // not the runtime's own word
      const status = await this.#reader.containerStatus(containerId, signal);
      if (status?.state !== ContainerState.CONTAINER_RUNNING) throw error;
    }
  }

  /** As `ContainerRuntime.stopContainer`. */
  async stopContainer(containerId: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
    const timeout = Math.max(0, Math.ceil(graceSeconds));
    const timeoutMs = timeout * 1000 + STOP_MARGIN_MS;
    await ifThere(this.#client.call('StopContainer', { containerId, timeout }, { timeoutMs, signal }));
  }

  async removeContainer(containerId: string, signal: AbortSignal): Promise<void> {
    await ifThere(this.#client.call('RemoveContainer', { containerId }, { signal }));
  }

  async stopSandbox(podSandboxId: string, signal: AbortSignal): Promise<void> {
    await ifThere(this.#client.call('StopPodSandbox', { podSandboxId }, { signal }));
  }

  /** Stops it first: a runtime may refuse to remove what is still up, and would leave its network behind. */
  async removeSandbox(podSandboxId: string, signal: AbortSignal): Promise<void> {
    await this.stopSandbox(podSandboxId, signal);
    await ifThere(this.#client.call('RemovePodSandbox', { podSandboxId }, { signal }));
  }

  async #runSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string> {
    const request = { config: sandboxMessage(config, this.#owner), runtimeHandler: config.runtimeHandler };
    const options = { timeoutMs: RUN_SANDBOX_TIMEOUT_MS, signal };
    return (await this.#client.call('RunPodSandbox', request, options)).podSandboxId;
  }

  /**
   * The sandbox of this pod and attempt that is there already. One that is not ready and has nothing in it was left
   * half-made, by a crash or a call that was given up, and is made anew. One that has containers is left to its worker:
   * how they ended is in them.
   */
  async #takeOverSandbox(config: SandboxConfig, taken: unknown, signal: AbortSignal): Promise<string> {
    const { sandboxes, containers } = await this.#reader.items(config.uid, signal);
    const present = sandboxes.find((item) => item.metadata?.attempt === config.attempt);
    // Not listed: another call is just making it, or has failed and is cleaning up. It is tried again later.
    if (present === undefined) throw taken;
    if (present.state === PodSandboxState.SANDBOX_READY) return present.id;
    if (containers.some((item) => item.podSandboxId === present.id)) return present.id;
    await this.removeSandbox(present.id, signal);
    return this.#runSandbox(config, signal);
  }

  async #findContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
    signal: AbortSignal,
  ): Promise<{ readonly id: string; readonly state: number } | undefined> {
    const { containers } = await this.#reader.items(sandbox.uid, signal);
    return containers.find(
      ({ podSandboxId, metadata }) =>
        podSandboxId === sandboxId && metadata?.name === config.name && metadata.attempt === config.attempt,
    );
  }
}

/** Whether a name is taken. containerd has no status for it: it says `name "…" is reserved for "…"`. */
export function isNameTaken(error: unknown): boolean {
  if (!(error instanceof RuntimeError)) return false;
  return grpcStatusOf(error) === GRPC.alreadyExists || error.message.includes('is reserved for');
}
