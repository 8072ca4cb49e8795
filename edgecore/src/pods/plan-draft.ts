import type { RuntimeContainer } from '../runtime/container-runtime.ts';
import { nextAttempt } from './container-history.ts';
import type { PodContainer } from './pod.ts';
import type {
  KillContainer,
  PlanInput,
  PodAction,
  PodEnd,
  PodPlan,
  StartContainer,
  StartFailure,
} from './plan-types.ts';
import type { Waiting } from './pod-status-types.ts';
import { goDuration } from './restart-delays.ts';

/** Nothing that could not be started waits longer: the longest back-off of pulls. */
const LONGEST_WAIT_MS = 5 * 60_000;

/** Collects what one look at a pod finds to do. */
export class PlanDraft {
  readonly input: PlanInput;
  readonly #kills: KillContainer[] = [];
  readonly #clean: PodAction[] = [];
  readonly #sandbox: PodAction[] = [];
  readonly #starts: StartContainer[] = [];
  readonly #waiting = new Map<string, Waiting>();
  #lookAgainAtMs = Infinity;
  #over: PodEnd | undefined;

  constructor(input: PlanInput) {
    this.input = input;
  }

  /** The container of this name in the sandbox that is used now. */
  present(name: string): RuntimeContainer | undefined {
    const { runtime } = this.input;
    const sandboxId = runtime?.sandboxes[0]?.id;
    return runtime?.containers.find((one) => one.name === name && one.sandboxId === sandboxId);
  }

  endPod(end: PodEnd): void {
    this.#over = end;
  }

  lookAgain(atMs: number): void {
    this.#lookAgainAtMs = Math.min(this.#lookAgainAtMs, atMs);
  }

  kill({ id, name }: RuntimeContainer, message: string, graceSeconds?: number): void {
    const grace = graceSeconds === undefined ? {} : { graceSeconds };
    this.#kills.push({ do: 'kill-container', id, name, message, ...grace });
  }

  /** Something of the sandbox, to be done after kills. */
  sandbox(action: PodAction): void {
    this.#sandbox.push(action);
  }

  /**
   * Starts a container, or says what it waits for; answers whether it is started.
   * @param anew its spec is another one: it waits for nothing
   */
  start(container: PodContainer, anew = false): boolean {
    const { runtime, previous, failures, specHash, nowMs } = this.input;
    const { name } = container;
    const hash = specHash(container);
    const all = runtime?.containers.filter((one) => one.name === name) ?? [];
    const finishedAtMs = lastEndMs(all);
    if (!anew && this.#waits(name, hash, finishedAtMs)) return false;
    const failure = failures.get(name);
    if (failure?.hash === hash) {
      this.#waiting.set(name, sayingOf(failure));
      // A clock that was set back would make it wait for more than it has to.
      if (failure.retryAtMs > nowMs && failure.retryAtMs - nowMs <= LONGEST_WAIT_MS) {
        this.lookAgain(failure.retryAtMs);
        return false;
      }
    }
    const attempt = nextAttempt(all, previous, name);
    const finished = finishedAtMs === undefined ? {} : { finishedAtMs };
    this.#starts.push({ do: 'start-container', name, attempt, ...finished });
    return true;
  }

  /** Brings a container back that exists and does not run; answers whether it will. */
  restart(container: PodContainer, present: RuntimeContainer, mayRestart: boolean): boolean {
    const { state } = present;
    if (state === 'exited' && !mayRestart) return false;
    // It may be running all the same: never two of them.
    if (state === 'unknown')
      this.kill(
        present,
        `${kindOf(this.input, container)} is in "unknown" state, try killing it before restart`,
      );
    const starts = this.start(container);
    // Its start was not completed: its name and attempt are needed.
    if (starts && state === 'created')
      this.#clean.push({ do: 'remove-container', id: present.id, name: present.name });
    return true;
  }

  plan(): PodPlan {
    if (this.#over !== undefined) return { actions: [], waiting: this.#waiting, over: this.#over };
    return {
      actions: [...this.#kills, ...this.#clean, ...this.#sandbox, ...this.#starts],
      waiting: this.#waiting,
      ...(this.#lookAgainAtMs !== Infinity && { lookAgainAtMs: this.#lookAgainAtMs }),
    };
  }

  #waits(name: string, hash: string, finishedAtMs: number | undefined): boolean {
    const { delays, pod, nowMs } = this.input;
    if (finishedAtMs === undefined) return false;
    const wait = delays.waitOf(name, hash, finishedAtMs, nowMs);
    if (wait === undefined) return false;
    const { metadata } = pod;
    this.#waiting.set(name, {
      reason: 'CrashLoopBackOff',
      message: `back-off ${goDuration(wait.delayMs)} restarting failed container=${name} pod=${metadata.name}_${metadata.namespace}(${metadata.uid})`,
    });
    this.lookAgain(wait.untilMs);
    return true;
  }
}

/** When the latest one ended that has; undefined: none has, or it is not known. @param all latest first */
function lastEndMs(all: readonly RuntimeContainer[]): number | undefined {
  const last = all.find(({ state, ended }) => state === 'exited' || ended !== undefined);
  return last?.finishedAtMs ?? last?.ended?.finishedAtMs;
}

/** As messages name it. Source: kubelet, computeInitContainerActions. */
function kindOf({ pod }: PlanInput, container: PodContainer): string {
  return pod.spec.initContainers?.includes(container) === true ? 'Init container' : 'Container';
}

function sayingOf({ reason, message }: StartFailure): Waiting {
  return { reason, ...(message !== undefined && { message }) };
}
