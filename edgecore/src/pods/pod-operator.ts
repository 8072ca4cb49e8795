import type { RuntimePod } from '../runtime/container-runtime.ts';
import { ContainerError } from './container-error.ts';
import { ContainerStarter } from './container-starter.ts';
import { containerOf, graceSeconds, type Pod } from './pod.ts';
import { PodError } from './pod-error.ts';
import { addressesOf } from './pod-addresses.ts';
import type { PodOperatorOptions } from './pod-operator-options.ts';
import type { KillContainer, PodAction } from './plan-types.ts';

/** What became of some actions, also where something ended them. */
export class Performed {
  /** Containers that were made, by name, whatever became of their start. */
  readonly made = new Set<string>();
  /** Containers that run now. */
  readonly started = new Set<string>();
  /** Those that could not be started, and why. */
  readonly failures = new Map<string, ContainerError>();
}

/** The shortest time that a container gets between signal and kill. Source: kubelet, minimumGracePeriodInSeconds. */
const LEAST_GRACE_SECONDS = 2;

/**
 * Carries out what was planned for one pod: asks the parts that an action needs in the order in which a kubelet does,
 * and says by events what it did. It decides nothing. What was interrupted is planned again from what the runtime has.
 */
export class PodOperator {
  readonly #options: PodOperatorOptions;
  readonly #starter: ContainerStarter;
  /** Ids of containers whose end was announced, and their `preStop` begun: not a second time. */
  readonly #dying = new Set<string>();

  constructor(options: PodOperatorOptions) {
    this.#options = options;
    this.#starter = new ContainerStarter(options);
  }

  /**
   * Carries out actions in order; kills that follow each other are carried out side by side. A container that cannot
   * be started does not keep the others from it; whatever else fails ends this.
   * @param pod undefined: nobody knows it any more, it only can be ended
   * @param performed takes what became of them
   * @throws PodError; RuntimeError; signal.reason
   */
  async perform(
    pod: Pod | undefined,
    actions: readonly PodAction[],
    inRuntime: RuntimePod | undefined,
    performed: Performed,
    signal: AbortSignal,
  ): Promise<void> {
    const { made, started, failures } = performed;
    await this.#killAll(pod, actions.filter(isKill), inRuntime, signal);
    for (const action of actions) {
      signal.throwIfAborted();
      if (action.do === 'start-container') {
        if (pod === undefined) continue;
        try {
          await this.#starter.start(pod, action, inRuntime, (name) => made.add(name), signal);
          started.add(action.name);
        } catch (error) {
          if (!(error instanceof ContainerError)) throw error;
          failures.set(action.name, error);
          if (error.reason === 'PostStartHookError') await this.#killAfterHook(pod, action.name, signal);
        }
      } else if (!isKill(action)) {
        await this.#performOne(pod, action, signal);
      }
    }
  }

  /**
   * Gives back what a pod has beside the runtime, after all of it has ended there.
   * @param wholly whether its logs go, too
   * @throws PodError `FailedUnmount`
   */
  async release(uid: string, wholly: boolean, signal: AbortSignal): Promise<void> {
    const { volumes, cgroups, probes, removeLogs } = this.#options.parts;
    probes.remove(uid);
    // Its folder goes after its logs, its cgroup last: whatever remains after a crash is found by one of the two.
    if (wholly) await removeLogs(uid);
    await volumes.unmount(uid, signal);
    await cgroups.remove(uid);
  }

  async #performOne(
    pod: Pod | undefined,
    action: Exclude<PodAction, KillContainer | { do: 'start-container' }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { runtime } = this.#options;
    switch (action.do) {
      case 'create-sandbox':
        if (pod !== undefined) await this.#createSandbox(pod, action.attempt, signal);
        return;
      case 'stop-sandbox':
        await runtime.stopSandbox(action.id, signal);
        return;
      case 'remove-sandbox':
        await runtime.removeSandbox(action.id, signal);
        return;
      case 'remove-container':
        await runtime.removeContainer(action.id, signal);
        this.#dying.delete(action.id);
        return;
    }
  }

  async #createSandbox(pod: Pod, attempt: number, signal: AbortSignal): Promise<void> {
    const { runtime, parts, events, gate } = this.#options;
    if (attempt > 0) {
      const message = 'Pod sandbox changed, it will be killed and re-created.';
      events.record(pod, 'Normal', 'SandboxChanged', message);
    }
    const [cgroupParent] = await Promise.all([parts.cgroups.ensure(pod), parts.volumes.mount(pod, signal)]);
    const config = parts.configs.sandbox(pod, attempt, cgroupParent);
    try {
      await Promise.all([
        gate.run(() => runtime.createSandbox(config, signal), signal),
        parts.configs.prepare(pod),
      ]);
    } catch (error) {
      signal.throwIfAborted();
      const message = `Failed to create pod sandbox: ${(error as Error).message}`;
      throw new PodError('FailedCreatePodSandBox', message, { cause: error });
    }
  }

  async #killAll(
    pod: Pod | undefined,
    actions: readonly KillContainer[],
    inRuntime: RuntimePod | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const kills = new Map<string, Promise<void>>();
    const turn = async (names: readonly string[] = []): Promise<void> => {
      for (const name of names) await kills.get(name);
    };
    for (const action of actions) {
      // Begun together: whom one waits for may come after it in the list.
      const begin = Promise.resolve().then(() => this.#kill(pod, action, inRuntime, turn, signal));
      kills.set(
        action.name,
        Promise.all([kills.get(action.name), begin]).then(() => {}),
      );
    }
    const outcomes = await Promise.allSettled(kills.values());
    signal.throwIfAborted();
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason as Error;
  }

  async #kill(
    pod: Pod | undefined,
    action: KillContainer,
    inRuntime: RuntimePod | undefined,
    turn: (names: readonly string[] | undefined) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { runtime, events, clock } = this.#options;
    const { id, name, message } = action;
    const isFirst = !this.#dying.has(id);
    this.#dying.add(id);
    if (pod !== undefined && isFirst) events.record(pod, 'Normal', 'Killing', message, name);
    let leftSeconds = action.graceSeconds ?? (pod === undefined ? 0 : graceSeconds(pod));
    const container = pod && containerOf(pod, name);
    if (pod !== undefined && container !== undefined && isFirst) {
      const podIp = addressesOf(pod, inRuntime, this.#options.hostIps())[0] ?? '';
      const { hooks } = this.#options.parts;
      leftSeconds = await hooks.preStop(pod, container, id, podIp, leftSeconds, signal);
    }
    const turnMs = clock.monotonicMs();
    await turn(action.after);
    const waitedSeconds = Math.floor((clock.monotonicMs() - turnMs) / 1000);
    signal.throwIfAborted();
    await runtime.stopContainer(id, Math.max(LEAST_GRACE_SECONDS, leftSeconds - waitedSeconds), signal);
    this.#dying.delete(id);
  }

  /** Ends a container whose `postStart` failed. */
  async #killAfterHook(pod: Pod, name: string, signal: AbortSignal): Promise<void> {
    const inRuntime = await this.#options.runtime.get(pod.metadata.uid);
    const container = inRuntime?.containers.find((one) => one.name === name);
    if (container?.state !== 'running') return;
    const kill: KillContainer = {
      do: 'kill-container',
      id: container.id,
      name,
      message: 'FailedPostStartHook',
    };
    await this.#killAll(pod, [kill], inRuntime, signal);
  }
}

function isKill(action: PodAction): action is KillContainer {
  return action.do === 'kill-container';
}
