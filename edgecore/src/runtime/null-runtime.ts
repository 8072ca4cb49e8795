import { randomUUID } from 'node:crypto';
import type { Clock } from '@hawser/seams';
import type { JsonState } from '../state/json-state.ts';
import type { ContainerConfig, SandboxConfig } from './container-config.ts';
import type {
  ContainerRuntime,
  ContainerUsage,
  ExecResult,
  RuntimeCondition,
  RuntimePod,
} from './container-runtime.ts';
import { NullImages } from './null-images.ts';
import { PodTable } from './pod-table.ts';
import { RuntimeError } from './runtime-error.ts';

const STATE_PREFIX = 'null-runtime/';
const OK = 0;
/** The programs that it knows: they end at once. All others go on until they are told to end. */
const ENDS: Readonly<Record<string, number>> = { true: OK, false: 1 };

/**
 * A runtime that runs nothing, and says that it does: for tests and measurements of everything around it. Containers
 * are running as soon as they are started; those whose command is `true` or `false` are done at once, with exit code 0
 * or 1; whatever is stopped ends at once with exit code 0. What it "runs" survives a restart of the process, as it
 * would in a real runtime.
 */
export class NullRuntime implements ContainerRuntime {
  readonly name = 'null';
  readonly version = 'null://';
  readonly real = false;
  readonly images = new NullImages();
  readonly #state: JsonState;
  readonly #pods: PodTable;
  /** By id of the container: its exit code if it ends by itself. */
  readonly #ends = new Map<string, number>();
  readonly #listeners = new Set<(uid: string | undefined) => void>();
  #started = false;

  constructor(options: { readonly state: JsonState; readonly clock: Clock }) {
    this.#state = options.state;
    this.#pods = new PodTable(options.clock, randomUUID);
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    for (const value of (await this.#state.readAll(STATE_PREFIX)).values()) {
      // Releases before this one kept something else; it was nothing.
      if (isPod(value)) this.#pods.put(value);
    }
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  list(): Promise<readonly RuntimePod[]> {
    return Promise.resolve(this.#pods.all());
  }

  get(uid: string): Promise<RuntimePod | undefined> {
    return Promise.resolve(this.#pods.get(uid));
  }

  listen(listener: (uid: string | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  conditions(): Promise<readonly RuntimeCondition[]> {
    const types = ['RuntimeReady', 'NetworkReady'];
    return Promise.resolve(types.map((type) => ({ type, ok: true, reason: '', message: '' })));
  }

  async createSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { id } = this.#pods.makeSandbox(config, []);
    await this.#keep(config.uid);
    return id;
  }

  async stopSandbox(id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const pod = this.#pods.ofSandbox(id);
    this.#pods.stopSandbox(id, { exitCode: OK });
    if (pod !== undefined) await this.#keep(pod.uid);
  }

  async removeSandbox(id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const pod = this.#pods.ofSandbox(id);
    this.#pods.removeSandbox(id);
    if (pod !== undefined) await this.#keep(pod.uid);
  }

  async createContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
    signal: AbortSignal,
  ): Promise<string> {
    signal.throwIfAborted();
    const { id } = this.#pods.makeContainer(sandboxId, sandbox.logDirectory, { ...config, logPath: '' });
    const exitCode = ENDS[config.command[0] ?? ''];
    if (exitCode !== undefined) this.#ends.set(id, exitCode);
    await this.#keep(sandbox.uid);
    return id;
  }

  async startContainer(id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#pods.startContainer(id);
    const exitCode = this.#ends.get(id);
    if (exitCode !== undefined) this.#pods.exit(id, { exitCode });
    await this.#keep(this.#pods.container(id).pod.uid);
  }

  async stopContainer(id: string, _graceSeconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { pod } = this.#pods.container(id);
    this.#pods.exit(id, { exitCode: OK });
    await this.#keep(pod.uid);
  }

  async removeContainer(id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const found = this.#pods.find(id);
    this.#ends.delete(id);
    this.#pods.removeContainer(id);
    if (found !== undefined) await this.#keep(found.pod.uid);
  }

  exec(
    id: string,
    _command: readonly string[],
    _timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    return this.#refuse(id, signal);
  }

  streamUrl(): Promise<URL> {
    return this.#refuse('', AbortSignal.any([]));
  }

  reopenLog(id: string, signal: AbortSignal): Promise<void> {
    return this.#refuse(id, signal);
  }

  usage(signal: AbortSignal): Promise<readonly ContainerUsage[]> {
    signal.throwIfAborted();
    return Promise.resolve([]);
  }

  #refuse(id: string, signal: AbortSignal): Promise<never> {
    signal.throwIfAborted();
    const message = 'the runtime is a stand-in that runs nothing';
    return Promise.reject(new RuntimeError('ERR_EDGECORE_RUNTIME', message, id === '' ? {} : { about: id }));
  }

  async #keep(uid: string): Promise<void> {
    const pod = this.#pods.get(uid);
    const key = `${STATE_PREFIX}${uid}`;
    await (pod === undefined ? this.#state.remove(key) : this.#state.write(key, pod));
    for (const listener of this.#listeners) listener(uid);
  }
}

function isPod(value: unknown): value is RuntimePod {
  return Array.isArray((value as Partial<RuntimePod> | null)?.sandboxes);
}
