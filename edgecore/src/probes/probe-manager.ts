import { systemRandom, type Clock, type Logger, type Random } from '@hawser/seams';
import { CallSlots } from '../cri/call-slots.ts';
import type { ContainerRuntime, RuntimeContainer, RuntimePod } from '../runtime/container-runtime.ts';
import { RuntimeError } from '../runtime/runtime-error.ts';
import { podName, type Pod, type PodContainer } from '../pods/pod.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import { ContainerProber, type ProbeQuestion, type SeenAs } from './container-prober.ts';
import { processLoad, type OwnLoad } from './own-load.ts';
import type { PodProbes, ProbeVerdict } from './pod-probes.ts';
import { runProbe } from './probe-actions.ts';
import { HeldUpError } from './probe-deadline.ts';
import type { ProbeOutcome } from './probe-outcome.ts';
import { TimerWheel } from './timer-wheel.ts';

/** Source: the default of core/v1 Probe. */
const DEFAULT_TIMEOUT_SECONDS = 1;
/** Probes on their way at once. A command is a process that the runtime makes: many at once are slow for each other. */
const MOST_AT_ONCE = { exec: 8, network: 64 } as const;
/**
 * How long one counts among them. What takes longer costs little by then, and must not keep the probes of other pods
 * from being made: it may take as long as its pod says.
 */
const COUNTED_MS = 1_000;

/** What a {@link ProbeManager} needs. */
export interface ProbeManagerOptions {
  readonly runtime: Pick<ContainerRuntime, 'exec'>;
  readonly events: PodEvents;
  /** Addresses of the node, first one first: pods on its network are asked there. */
  readonly hostIps: () => readonly string[];
  /**
   * The last status of a container: a container that was ready stays so over a restart of the edge core, until its
   * probe says something else. Default: nothing is known.
   */
  readonly lastStatus?: (
    uid: string,
    container: string,
  ) => (SeenAs & { readonly containerID?: string }) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: the system's. */
  readonly random?: Random;
  /** Default: of this process. */
  readonly load?: OwnLoad;
}

/** A pod with probes. */
interface ProbedPod {
  podIp: string;
  /** By id of the container. */
  readonly probers: Map<string, ContainerProber>;
}

/**
 * Probes the containers of all pods, over one timer. Results are kept by container id, in memory alone. A probe that
 * could not be made, or whose answer this process was too busy to see, says nothing about a container and counts
 * neither way. Source: kubelet, prober/prober_manager.go.
 */
export class ProbeManager implements PodProbes {
  readonly #options: ProbeManagerOptions;
  readonly #wheel: TimerWheel;
  readonly #pods = new Map<string, ProbedPod>();
  readonly #listeners = new Set<(uid: string) => void>();
  readonly #slots = {
    exec: new CallSlots(MOST_AT_ONCE.exec, Infinity),
    network: new CallSlots(MOST_AT_ONCE.network, Infinity),
  };
  readonly #asking = new Set<Promise<unknown>>();
  #isStopped = false;

  constructor(options: ProbeManagerOptions) {
    this.#options = options;
    this.#wheel = new TimerWheel(options.clock);
  }

  update(pod: Pod, runtime: RuntimePod | undefined): void {
    const { uid } = pod.metadata;
    const running = this.#isStopped ? [] : probedContainers(pod, runtime);
    if (running.length === 0) {
      this.remove(uid);
      return;
    }
    const probed = this.#pods.get(uid) ?? { podIp: '', probers: new Map<string, ContainerProber>() };
    this.#pods.set(uid, probed);
    probed.podIp =
      (pod.spec.hostNetwork === true ? this.#options.hostIps() : runtime?.sandboxes[0]?.ips)?.[0] ?? '';
    const ids = new Set(running.map(({ present }) => present.id));
    for (const [id, prober] of probed.probers) if (!ids.has(id)) end(probed, id, prober);
    for (const { container, present } of running) {
      const prober = probed.probers.get(present.id);
      if (prober === undefined) this.#begin(pod, probed, container, present);
      else prober.update(pod);
    }
  }

  verdict(pod: Pod, container: string, containerId: string): ProbeVerdict {
    const prober = this.#pods.get(pod.metadata.uid)?.probers.get(containerId);
    if (prober !== undefined) return prober.verdict();
    const spec = containersOf(pod).find(({ name }) => name === container);
    const seenAs = this.#seenAs(pod, container, containerId);
    const started = spec?.startupProbe === undefined || seenAs?.started === true;
    return { started, ready: started && (spec?.readinessProbe === undefined || seenAs?.ready === true) };
  }

  remove(uid: string): void {
    const probed = this.#pods.get(uid);
    if (probed === undefined) return;
    this.#pods.delete(uid);
    for (const [id, prober] of probed.probers) end(probed, id, prober);
  }

  listen(listener: (uid: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const uid of [...this.#pods.keys()]) this.remove(uid);
    await Promise.all(this.#asking);
  }

  #begin(pod: Pod, probed: ProbedPod, container: PodContainer, present: RuntimeContainer): void {
    const { clock, random = systemRandom } = this.#options;
    const { uid } = pod.metadata;
    const prober: ContainerProber = new ContainerProber({
      pod,
      container,
      containerId: present.id,
      // A clock that was set meanwhile does not make it older than it is, nor younger than nothing.
      ageMs: Math.max(clock.wallMs() - (present.startedAtMs ?? present.createdAtMs), 0),
      seenAs: this.#seenAs(pod, container.name, present.id),
      ask: (question) =>
        this.#track(this.#ask({ ...question, pod: prober.pod, probed, container, id: present.id })),
      after: (delayMs, callback) => this.#wheel.set(delayMs, callback),
      monotonicMs: () => clock.monotonicMs(),
      random,
      onVerdict: () => {
        for (const listener of this.#listeners) listener(uid);
      },
    });
    probed.probers.set(present.id, prober);
    prober.start();
  }

  #seenAs(pod: Pod, container: string, id: string): SeenAs | undefined {
    const status = this.#options.lastStatus?.(pod.metadata.uid, container);
    return status?.containerID?.endsWith(`://${id}`) === true ? status : undefined;
  }

  #track<T>(task: Promise<T>): Promise<T> {
    this.#asking.add(task);
    return task.finally(() => this.#asking.delete(task));
  }

  /** Asks once, and says what is worth an event. Never rejects. */
  async #ask(question: Question): Promise<ProbeOutcome | undefined> {
    const { pod, container, kind, isEarly, signal } = question;
    const { events, log } = this.#options;
    try {
      const outcome = await this.#run(question);
      const { result, output } = outcome;
      if (signal.aborted) return undefined;
      if (result === 'failure' && !isEarly) {
        events.record(pod, 'Warning', 'Unhealthy', `${kind} probe failed: ${output}`, container.name);
      } else if (result === 'warning') {
        events.record(pod, 'Warning', 'ProbeWarning', `${kind} probe warning: ${output}`, container.name);
      }
      return outcome;
    } catch (error) {
      if (signal.aborted) return undefined;
      const text = (error as Error).message;
      log.debug(
        { err: error, pod: podName(pod), container: container.name, kind },
        'a probe has found nothing out',
      );
      // With a runtime that is away there is enough to be read about that.
      if (!isEarly && !(error instanceof HeldUpError) && !isAway(error)) {
        const message = `${kind} probe errored and resulted in unknown state: ${text}`;
        events.record(pod, 'Warning', 'Unhealthy', message, container.name);
      }
      return undefined;
    }
  }

  async #run({ probed, container, id, probe, signal }: Question): Promise<ProbeOutcome> {
    const { runtime, clock, load = processLoad } = this.#options;
    const release = await this.#slots[probe.exec === undefined ? 'network' : 'exec'].take(signal);
    const counted = clock.setTimer(COUNTED_MS, release, { background: true });
    try {
      return await runProbe({
        probe,
        container,
        containerId: id,
        podIp: probed.podIp,
        runtime,
        timeoutMs: (probe.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
        clock,
        load,
        signal,
      });
    } finally {
      counted.cancel();
      release();
    }
  }
}

/** A probe that is to be made now, and of whom. */
interface Question extends ProbeQuestion {
  readonly pod: Pod;
  readonly probed: ProbedPod;
  readonly container: PodContainer;
  readonly id: string;
}

function end(probed: ProbedPod, id: string, prober: ContainerProber): void {
  probed.probers.delete(id);
  prober.stop();
}

function containersOf({ spec }: Pod): readonly PodContainer[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** Containers that have a probe and run now. */
function probedContainers(
  pod: Pod,
  runtime: RuntimePod | undefined,
): readonly { readonly container: PodContainer; readonly present: RuntimeContainer }[] {
  if (runtime === undefined) return [];
  return containersOf(pod).flatMap((container) => {
    const hasProbe = container.startupProbe ?? container.livenessProbe ?? container.readinessProbe;
    if (hasProbe === undefined) return [];
    // The latest one comes first.
    const present = runtime.containers.find(({ name }) => name === container.name);
    return present?.state === 'running' ? [{ container, present }] : [];
  });
}

function isAway(error: unknown): boolean {
  return error instanceof RuntimeError && error.code === 'ERR_EDGECORE_RUNTIME_UNREACHABLE';
}
