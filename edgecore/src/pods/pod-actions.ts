import type { PodAction, RuntimeContainer, RuntimePod } from '../runtime/pod-runtime.ts';
import { graceSeconds, isSidecar, type Pod, type PodContainer } from './pod.ts';

/** What is to be done about a pod now. */
export interface PodPlan {
  /** To be carried out in order; then the runtime is asked again. */
  readonly actions: readonly PodAction[];
  /** Forget the pod in the runtime: nothing of it runs any more, and nothing shall. */
  readonly remove: boolean;
  /** Nothing of it is left in the runtime, and nothing shall be. */
  readonly ended: boolean;
  /** When to look again even if nothing happens, milliseconds since the epoch: a back-off that runs out. */
  readonly lookAgainAtMs?: number;
}

/** Source: kubelet, MaxContainerBackOff and the initial back-off period. */
const RESTART_BACKOFF_MS = { first: 10_000, cap: 300_000 } as const;
/** A container that ran this long starts with the shortest back-off again. Source: kubelet, 2 × MaxContainerBackOff. */
const RESTART_RESET_MS = 600_000;

const NOTHING: PodPlan = { actions: [], remove: false, ended: false };

/**
 * What to do so that a pod runs as its spec says. A function of its arguments alone. In order:
 * 1. no sandbox → make one; one that is not ready → remove it, with what is in it;
 * 2. init containers, one after the other; a sidecar has to run before the next one starts;
 * 3. then the containers, all at once;
 * 4. what has exited is started again as the restart policy says, after its back-off.
 */
export function planRun(pod: Pod, runtime: RuntimePod | undefined, nowMs: number): PodPlan {
  if (runtime === undefined) return { ...NOTHING, actions: [{ do: 'create-sandbox' }] };
  if (!runtime.sandbox.ready) return { ...NOTHING, remove: true };
  if (hasFinished(pod, runtime)) return NOTHING;
  const steps = new Steps(pod, runtime, nowMs);
  for (const container of pod.spec.initContainers ?? []) {
    if (!steps.initialize(container)) return steps.plan();
  }
  for (const container of pod.spec.containers) steps.keepRunning(container, pod.spec.restartPolicy);
  return steps.plan();
}

/**
 * What to do so that nothing of a pod is left: its containers first, each with the pod's grace, then its sidecars in
 * reverse order (KEP-753), then the sandbox.
 * @param pod undefined where the object is gone already: what runs of it ends with the default grace
 */
export function planEnd(pod: Pod | undefined, runtime: RuntimePod | undefined): PodPlan {
  if (runtime === undefined) return { ...NOTHING, ended: true };
  const running = new Set(
    runtime.containers.filter(({ state }) => state !== 'exited').map(({ name }) => name),
  );
  if (pod === undefined || running.size === 0) return { ...NOTHING, remove: true };
  const grace = graceSeconds(pod);
  const kill = (container: string): PodAction => ({ do: 'kill-container', container, graceSeconds: grace });
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const first = [...running].filter((name) => !sidecars.includes(name));
  const lastSidecar = sidecars.findLast((name) => running.has(name));
  if (first.length > 0) return { ...NOTHING, actions: first.map(kill) };
  return { ...NOTHING, actions: lastSidecar === undefined ? [] : [kill(lastSidecar)] };
}

/** Whether every container has ended and none will be started again. Source: core/v1, pod phases. */
export function hasFinished(pod: Pod, runtime: RuntimePod): boolean {
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Always') return false;
  const failedInit = (pod.spec.initContainers ?? []).some((container) => {
    const state = latest(runtime, container.name);
    return !isSidecar(container) && state?.state === 'exited' && state.exitCode !== 0;
  });
  if (failedInit && policy === 'Never') return true;
  return pod.spec.containers.every(({ name }) => {
    const state = latest(runtime, name);
    return state?.state === 'exited' && (policy === 'Never' || state.exitCode === 0);
  });
}

/** The latest attempt of a container. */
export function latest(runtime: RuntimePod | undefined, name: string): RuntimeContainer | undefined {
  return runtime?.containers.find((container) => container.name === name);
}

/** How long a container that has exited waits for its next attempt, milliseconds from its end. */
export function restartDelayMs(container: RuntimeContainer): number {
  const ranMs = (container.finishedAtMs ?? 0) - (container.startedAtMs ?? 0);
  if (container.attempt === 0 || ranMs >= RESTART_RESET_MS) return 0;
  return Math.min(
    RESTART_BACKOFF_MS.cap,
    RESTART_BACKOFF_MS.first * 2 ** Math.min(container.attempt - 1, 10),
  );
}

/** Collects what one look at a pod finds to do. */
class Steps {
  readonly #pod: Pod;
  readonly #runtime: RuntimePod;
  readonly #nowMs: number;
  readonly #actions: PodAction[] = [];
  #lookAgainAtMs = Infinity;

  constructor(pod: Pod, runtime: RuntimePod, nowMs: number) {
    this.#pod = pod;
    this.#runtime = runtime;
    this.#nowMs = nowMs;
  }

  plan(): PodPlan {
    const actions = this.#actions;
    if (this.#lookAgainAtMs === Infinity) return { ...NOTHING, actions };
    return { ...NOTHING, actions, lookAgainAtMs: this.#lookAgainAtMs };
  }

  /** Answers whether what comes after it may start. */
  initialize(container: PodContainer): boolean {
    const state = latest(this.#runtime, container.name);
    if (isSidecar(container)) {
      this.keepRunning(container, 'Always');
      return state?.state === 'running';
    }
    if (state?.state === 'exited' && state.exitCode === 0) return true;
    this.keepRunning(container, this.#pod.spec.restartPolicy === 'Never' ? 'Never' : 'OnFailure');
    return false;
  }

  keepRunning(container: PodContainer, policy: Pod['spec']['restartPolicy'] = 'Always'): void {
    const state = latest(this.#runtime, container.name);
    if (state === undefined || state.state === 'created') {
      this.#start(container, state?.attempt ?? 0);
    } else if (state.state === 'exited' && wantsRestart(state, policy)) {
      const dueMs = (state.finishedAtMs ?? 0) + restartDelayMs(state);
      if (dueMs <= this.#nowMs) this.#start(container, state.attempt + 1);
      else this.#lookAgainAtMs = Math.min(this.#lookAgainAtMs, dueMs);
    }
  }

  #start(container: PodContainer, attempt: number): void {
    this.#actions.push({ do: 'start-container', container: container.name, attempt });
  }
}

function wantsRestart(state: RuntimeContainer, policy: Pod['spec']['restartPolicy']): boolean {
  return policy === 'Always' || (policy === 'OnFailure' && state.exitCode !== 0);
}
