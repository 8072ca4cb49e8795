import { randomUUID } from 'node:crypto';
import type { Clock } from '@hawser/seams';
import type { Pod } from '../pods/pod.ts';
import type { JsonState } from '../state/json-state.ts';
import type { PodAction, PodRuntime, RuntimeContainer, RuntimePod } from './pod-runtime.ts';

const STATE_PREFIX = 'null-runtime/';
const OK = 0;

/**
 * A runtime that runs nothing, and says that it does: for tests and measurements of everything around it. Containers
 * are running as soon as they are started, init containers are done at once, and whatever is killed ends at once with
 * exit code 0. What it "runs" survives a restart of the process, as it would in a real runtime.
 */
export class NullRuntime implements PodRuntime {
  readonly name = 'null';
  readonly version = 'null://';
  readonly real = false;
  readonly #state: JsonState;
  readonly #clock: Clock;
  readonly #pods = new Map<string, RuntimePod>();
  readonly #listeners = new Set<(uid: string) => void>();
  #started = false;

  constructor(options: { readonly state: JsonState; readonly clock: Clock }) {
    this.#state = options.state;
    this.#clock = options.clock;
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    for (const [key, value] of await this.#state.readAll(STATE_PREFIX)) {
      this.#pods.set(key.slice(STATE_PREFIX.length), value as RuntimePod);
    }
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  list(): Promise<readonly RuntimePod[]> {
    return Promise.resolve([...this.#pods.values()]);
  }

  get(uid: string): Promise<RuntimePod | undefined> {
    return Promise.resolve(this.#pods.get(uid));
  }

  async perform(pod: Pod, action: PodAction, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { uid, namespace, name } = pod.metadata;
    const present = this.#pods.get(uid);
    if (action.do === 'create-sandbox') {
      const sandbox = { id: randomUUID(), ready: true, createdAtMs: this.#clock.wallMs(), ips: [] };
      await this.#put(present ?? { uid, namespace, name, sandbox, containers: [] });
      return;
    }
    if (present === undefined) throw new Error(`${action.do}: pod ${uid} has no sandbox`);
    const { container } = action;
    const others = present.containers.filter((other) => other.name !== container);
    const before = present.containers.find((other) => other.name === container);
    if (action.do === 'start-container') {
      if (before?.attempt === action.attempt) return;
      await this.#put({
        ...present,
        containers: [...others, this.#newContainer(pod, container, action.attempt)],
      });
    } else if (before?.state === 'running') {
      await this.#put({ ...present, containers: [...others, this.#exited(before)] });
    }
  }

  async remove(uid: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#pods.has(uid)) return;
    await this.#state.remove(`${STATE_PREFIX}${uid}`);
    this.#pods.delete(uid);
    this.#tell(uid);
  }

  listen(listener: (uid: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #newContainer(pod: Pod, name: string, attempt: number): RuntimeContainer {
    const initializer = pod.spec.initContainers?.find((container) => container.name === name);
    const image =
      (initializer ?? pod.spec.containers.find((container) => container.name === name))?.image ?? '';
    const running: RuntimeContainer = {
      name,
      id: `null://${randomUUID()}`,
      attempt,
      image,
      imageId: image,
      state: 'running',
      startedAtMs: this.#clock.wallMs(),
    };
    const endsByItself = initializer !== undefined && initializer.restartPolicy !== 'Always';
    return endsByItself ? this.#exited(running) : running;
  }

  #exited(container: RuntimeContainer): RuntimeContainer {
    const finishedAtMs = this.#clock.wallMs();
    return { ...container, state: 'exited', finishedAtMs, exitCode: OK, reason: 'Completed' };
  }

  async #put(pod: RuntimePod): Promise<void> {
    await this.#state.write(`${STATE_PREFIX}${pod.uid}`, pod);
    this.#pods.set(pod.uid, pod);
    this.#tell(pod.uid);
  }

  #tell(uid: string): void {
    for (const listener of this.#listeners) listener(uid);
  }
}
