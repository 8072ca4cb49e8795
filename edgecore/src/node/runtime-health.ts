import type { Clock, Logger, Timer } from '@hawser/seams';
import type { ContainerRuntime, RuntimeCondition } from '../runtime/container-runtime.ts';

/** What a {@link RuntimeHealth} needs. */
export interface RuntimeHealthOptions {
  readonly runtime: Pick<ContainerRuntime, 'conditions' | 'listen'>;
  /** Between two looks, milliseconds. */
  readonly periodMs: number;
  /** It is well, or ill in another way than before. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Source: kubelet, kubelet_node_status.go, before the first answer of a runtime. */
const NOT_ASKED_YET = 'container runtime status check may not have completed yet';

/**
 * Knows whether the container runtime can run pods, for the condition Ready. It asks once a period, and when the
 * runtime has come back. Source: kubelet, updateRuntimeUp.
 */
export class RuntimeHealth {
  readonly #options: RuntimeHealthOptions;
  #problem: string | undefined = NOT_ASKED_YET;
  #timer: Timer | undefined;
  #asking: Promise<void> | undefined;
  #unlisten: (() => void) | undefined;

  constructor(options: RuntimeHealthOptions) {
    this.#options = options;
  }

  /** Why no pod can be run; undefined: they can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Asks, and goes on asking. Resolves with the first answer. Idempotent. */
  async start(): Promise<void> {
    if (this.#unlisten !== undefined) return;
    this.#unlisten = this.#options.runtime.listen((uid) => {
      if (uid === undefined) void this.#ask();
    });
    await this.#ask();
    this.#arm();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#unlisten?.();
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#asking;
  }

  #arm(): void {
    const { clock, periodMs } = this.#options;
    this.#timer = clock.setTimer(periodMs, () => void this.#ask().then(() => this.#rearm()), {
      background: true,
    });
  }

  #rearm(): void {
    if (this.#timer !== undefined) this.#arm();
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#look().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    let problem: string | undefined;
    try {
      problem = problemIn(await this.#options.runtime.conditions());
    } catch (error) {
      problem = `container runtime is down: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.log.info({ problem }, 'the container runtime is another one than before');
    this.#options.onChange();
  }
}

/** Source: kubelet, runtime.go: the words of `runtimeErrors` and `networkErrors`. */
function problemIn(conditions: readonly RuntimeCondition[]): string | undefined {
  const words: Readonly<Record<string, string>> = {
    RuntimeReady: 'container runtime not ready',
    NetworkReady: 'container runtime network not ready',
  };
  const problems = conditions
    .filter(({ ok }) => !ok)
    .map(
      ({ type, reason, message }) =>
        `${words[type] ?? 'container runtime'}: ${type}=false reason:${reason} message:${message}`,
    );
  return problems.length === 0 ? undefined : problems.join('; ');
}
