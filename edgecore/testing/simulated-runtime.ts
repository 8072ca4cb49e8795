import type { ContainerConfig, SandboxConfig } from '../src/runtime/container-config.ts';
import type {
  ContainerRuntime,
  ContainerUsage,
  ExecResult,
  RuntimeCondition,
  RuntimePod,
} from '../src/runtime/container-runtime.ts';
import { NullImages } from '../src/runtime/null-images.ts';
import { RuntimeError } from '../src/runtime/runtime-error.ts';
import type { Clock } from '@hawser/seams';
import type { SimulatedMachine } from './simulated-machine.ts';

/** Calls that a test can slow down and let fail. */
export type SimulatedCall =
  | 'list'
  | 'get'
  | 'createSandbox'
  | 'stopSandbox'
  | 'removeSandbox'
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'exec';

/** Settings of {@link SimulatedRuntime}. */
export interface SimulatedRuntimeOptions {
  readonly machine: SimulatedMachine;
  /** Default: the machine's. One of its own where the edge process can die before the machine does. */
  readonly clock?: Clock;
  /** How long a call takes, milliseconds; 0: it is done at once. Default 0. */
  readonly latencyMs?: (call: SimulatedCall) => number;
  /** What a call fails with, before or after it did what it should; undefined: it does not. */
  readonly failure?: (call: SimulatedCall) => { readonly error: Error; readonly isDone: boolean } | undefined;
  /** Whether an event gets lost. Default: none. */
  readonly losesEvents?: () => boolean;
}

/**
 * A runtime over a {@link SimulatedMachine}: real as far as anybody can tell who asks it. Calls take time, and fail,
 * as a test says; a call whose signal is aborted in the middle may have been done all the same, as over a socket.
 */
export class SimulatedRuntime implements ContainerRuntime {
  readonly name = 'simulated';
  readonly version = 'simulated://1';
  readonly real = true;
  readonly images = new NullImages();
  readonly machine: SimulatedMachine;
  /** Errors that the next calls of a kind fail with, one each. */
  readonly failNext = new Map<SimulatedCall, Error[]>();
  readonly #options: SimulatedRuntimeOptions;
  readonly #clock: Clock;
  readonly #listeners = new Set<(uid: string | undefined) => void>();
  #undo: (() => void) | undefined;

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options;
    this.machine = options.machine;
    this.#clock = options.clock ?? options.machine.clock;
  }

  start(): Promise<void> {
    const listener = (uid: string | undefined): void => {
      if (this.#options.losesEvents?.() === true) return;
      for (const one of this.#listeners) one(uid);
    };
    this.#undo?.();
    this.machine.listeners.add(listener);
    this.#undo = () => this.machine.listeners.delete(listener);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#undo?.();
    this.#undo = undefined;
    return Promise.resolve();
  }

  list(): Promise<readonly RuntimePod[]> {
    return this.#call('list', undefined, () => this.machine.pods.all());
  }

  get(uid: string): Promise<RuntimePod | undefined> {
    return this.#call('get', undefined, () => this.machine.pods.get(uid));
  }

  listen(listener: (uid: string | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  conditions(): Promise<readonly RuntimeCondition[]> {
    const types = ['RuntimeReady', 'NetworkReady'];
    return Promise.resolve(types.map((type) => ({ type, ok: true, reason: '', message: '' })));
  }

  createSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string> {
    return this.#call('createSandbox', signal, () => this.machine.makeSandbox(config));
  }

  stopSandbox(id: string, signal: AbortSignal): Promise<void> {
    return this.#call('stopSandbox', signal, () => this.machine.stopSandbox(id));
  }

  removeSandbox(id: string, signal: AbortSignal): Promise<void> {
    return this.#call('removeSandbox', signal, () => this.machine.removeSandbox(id));
  }

  createContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
    signal: AbortSignal,
  ): Promise<string> {
    return this.#call('createContainer', signal, () =>
      this.machine.makeContainer(sandboxId, sandbox, config),
    );
  }

  startContainer(id: string, signal: AbortSignal): Promise<void> {
    return this.#call('startContainer', signal, () => this.machine.startContainer(id));
  }

  async stopContainer(id: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
    await this.#call('stopContainer', signal, () => {});
    await unlessAborted(this.machine.stopContainer(id, graceSeconds), signal);
  }

  removeContainer(id: string, signal: AbortSignal): Promise<void> {
    return this.#call('removeContainer', signal, () => this.machine.removeContainer(id));
  }

  /** `echo` writes what it is given; `exit` ends with this code; `sleep` goes on for so many seconds. */
  async exec(
    id: string,
    command: readonly string[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    const { container } = await this.#call('exec', signal, () => this.machine.pods.container(id));
    if (container.state !== 'running') throw new RuntimeError('ERR_EDGECORE_RUNTIME', `${id} does not run`);
    const [program, argument = ''] = command;
    if (program === 'sleep') {
      const seconds = Number(argument);
      await unlessAborted(this.#pass(Math.min(seconds * 1000, timeoutMs)), signal);
      if (seconds * 1000 > timeoutMs)
        throw new RuntimeError('ERR_EDGECORE_RUNTIME_TIMEOUT', `${command.join(' ')} took too long`);
    }
    return {
      exitCode: program === 'exit' ? Number(argument) : 0,
      stdout: program === 'echo' ? argument : '',
      stderr: '',
    };
  }

  streamUrl(): Promise<URL> {
    return Promise.reject(new RuntimeError('ERR_EDGECORE_RUNTIME', 'there is nothing to stream'));
  }

  reopenLog(): Promise<void> {
    return Promise.resolve();
  }

  usage(): Promise<readonly ContainerUsage[]> {
    return Promise.resolve([]);
  }

  async #call<T>(call: SimulatedCall, signal: AbortSignal | undefined, task: () => T): Promise<T> {
    signal?.throwIfAborted();
    const delayMs = this.#options.latencyMs?.(call) ?? 0;
    const done = delayMs === 0 ? Promise.resolve() : this.#pass(delayMs);
    // What was sent is done, whether the caller waits for the answer or not.
    const answer = done.then(() => this.#answer(call, task));
    return signal === undefined ? await answer : await unlessAborted(answer, signal);
  }

  #answer<T>(call: SimulatedCall, task: () => T): T {
    const next = this.failNext.get(call)?.shift();
    if (next !== undefined) throw next;
    const failure = this.#options.failure?.(call);
    if (failure?.isDone === false) throw failure.error;
    const answer = task();
    if (failure !== undefined) throw failure.error;
    return answer;
  }

  #pass(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimer(delayMs, resolve, { background: true });
    });
  }
}

/** The promise's value, or `signal.reason` if that comes first. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}
