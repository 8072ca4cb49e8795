import type { SandboxConfig } from '../runtime/container-config.ts';
import type { RuntimePod } from '../runtime/container-runtime.ts';
import type { RuntimeImage } from '../runtime/image-store.ts';
import { RuntimeError } from '../runtime/runtime-error.ts';
import { ContainerError, type ContainerErrorReason } from './container-error.ts';
import { containerOf, type Pod, type PodContainer } from './pod.ts';
import { addressesOf } from './pod-addresses.ts';
import type { PodOperatorOptions } from './pod-operator-options.ts';
import type { StartContainer } from './plan-types.ts';

/** What one start is about. */
interface Start {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly attempt: number;
  readonly sandboxId: string;
  readonly sandbox: SandboxConfig;
  readonly podIps: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Starts containers. In a kubelet's order: its image → volumes → environment, mounts and configuration → made →
 * started → `postStart`. Source: kubelet, startContainer.
 */
export class ContainerStarter {
  readonly #options: PodOperatorOptions;

  constructor(options: PodOperatorOptions) {
    this.#options = options;
  }

  /**
   * @param onMade the container is in the runtime: its attempt is used up
   * @throws ContainerError, after an event that says so; PodError `FailedMount`; signal.reason
   */
  async start(
    pod: Pod,
    { name, attempt }: StartContainer,
    inRuntime: RuntimePod | undefined,
    onMade: (name: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { parts, runtime, events, hostIps } = this.#options;
    const container = containerOf(pod, name);
    const sandbox = inRuntime?.sandboxes[0];
    if (container === undefined || sandbox === undefined) return; // planned for another pod than this is now
    const config = parts.configs.sandbox(pod, sandbox.attempt, await parts.cgroups.ensure(pod));
    const podIps = addressesOf(pod, inRuntime, hostIps());
    const start: Start = { pod, container, attempt, sandboxId: sandbox.id, sandbox: config, podIps, signal };
    const image = await this.#failing(start, undefined, () =>
      parts.images.ensure(pod, container, config, signal),
    );
    await parts.volumes.mount(pod, signal);
    const id = await this.#make(start, image);
    onMade(name);
    events.record(pod, 'Normal', 'Created', `Created container: ${name}`, name);
    await this.#failing(start, 'RunContainerError', () => runtime.startContainer(id, signal));
    events.record(pod, 'Normal', 'Started', `Started container ${name}`, name);
    await this.#postStart(start, id);
  }

  async #make(start: Start, image: RuntimeImage): Promise<string> {
    const { pod, container, attempt, sandboxId, sandbox, podIps, signal } = start;
    const { configs, volumes } = this.#options.parts;
    const config = await this.#failing(start, undefined, async () => {
      const env = await configs.environment(pod, container, podIps);
      const mounts = await volumes.mounts(pod, container, env, signal);
      const volumeGroups = volumes.supplementalGroups(pod);
      return configs.container({ pod, container, attempt, image, env, mounts, volumeGroups, podIps });
    });
    const { runtime } = this.#options;
    return this.#failing(start, 'CreateContainerError', () =>
      runtime.createContainer(sandboxId, sandbox, config, signal),
    );
  }

  async #postStart({ pod, container, podIps, signal }: Start, id: string): Promise<void> {
    const { parts, events } = this.#options;
    try {
      await parts.hooks.postStart(pod, container, id, podIps[0] ?? '', signal);
    } catch (error) {
      signal.throwIfAborted();
      // Not what it answered: that may be secret. Source: kubelet, startContainer.
      events.record(pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', container.name);
      throw error;
    }
  }

  /**
   * Says what failed.
   * @param reason for what the runtime refuses
   */
  async #failing<T>(
    { pod, container, signal }: Start,
    reason: ContainerErrorReason | undefined,
    task: () => Promise<T>,
  ): Promise<T> {
    try {
      return await task();
    } catch (error) {
      signal.throwIfAborted();
      const said = asContainerError(error, reason);
      if (said === undefined) throw error;
      const isOfImage = reason === undefined && said.reason !== 'CreateContainerConfigError';
      const text = isOfImage ? said.reason : said.message;
      this.#options.events.record(pod, 'Warning', 'Failed', `Error: ${text}`, container.name);
      throw said;
    }
  }
}

function asContainerError(
  error: unknown,
  reason: ContainerErrorReason | undefined,
): ContainerError | undefined {
  if (error instanceof ContainerError) return error;
  if (reason === undefined || !(error instanceof RuntimeError)) return undefined;
  return new ContainerError(reason, error.message, { cause: error });
}
