import type {
  ContainerRuntime,
  ContainerUsage,
  RuntimeContainer,
  RuntimePod,
  StreamRequest,
} from '../../src/runtime/container-runtime.ts';

/** As much of a runtime as the kubelet API asks for. */
export class FakeRuntime {
  readonly name = 'fake';
  pods: RuntimePod[] = [];
  usages: ContainerUsage[] = [];
  /** What was asked to be streamed, in order. */
  readonly streamed: StreamRequest[] = [];
  /** Where streams can be had. */
  url = new URL('http://127.0.0.1:1/');
  /** What all calls fail with. */
  failure: Error | undefined;
  readonly #listeners = new Set<(uid: string | undefined) => void>();
  readonly images = { fileSystems: () => Promise.resolve([{ mountpoint: '/', usedBytes: 4096, inodes: 3 }]) };

  list(): Promise<readonly RuntimePod[]> {
    return this.#answer(this.pods);
  }

  get(uid: string): Promise<RuntimePod | undefined> {
    return this.#answer(this.pods.find((pod) => pod.uid === uid));
  }

  usage(): Promise<readonly ContainerUsage[]> {
    return this.#answer(this.usages);
  }

  streamUrl(request: StreamRequest): Promise<URL> {
    this.streamed.push(request);
    return this.#answer(this.url);
  }

  listen(listener: (uid: string | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something of a pod is another than before. */
  change(uid: string, containers: RuntimeContainer[]): void {
    this.pods = this.pods.map((pod) => (pod.uid === uid ? { ...pod, containers } : pod));
    for (const listener of this.#listeners) listener(uid);
  }

  /** Those who listen now. */
  get listeners(): number {
    return this.#listeners.size;
  }

  asRuntime(): ContainerRuntime {
    return this as unknown as ContainerRuntime; // what is not here is not asked for
  }

  #answer<T>(value: T): Promise<T> {
    return this.failure === undefined ? Promise.resolve(value) : Promise.reject(this.failure);
  }
}

/** A container that runs. */
export function runningContainer(name: string, wish: Partial<RuntimeContainer> = {}): RuntimeContainer {
  return {
    name,
    id: `${name}-0`,
    sandboxId: 'sandbox-0',
    attempt: 0,
    image: 'registry.example/app:1',
    imageId: 'sha256:1',
    state: 'running',
    createdAtMs: 1_000,
    startedAtMs: 2_000,
    logPath: '',
    notes: {
      specHash: '1',
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
    },
    ...wish,
  };
}

/** A pod with one sandbox. */
export function runtimePod(name: string, containers: RuntimeContainer[]): RuntimePod {
  return {
    uid: `uid-${name}`,
    namespace: 'default',
    name,
    sandboxes: [{ id: 'sandbox-0', attempt: 0, ready: true, createdAtMs: 1_000, ips: ['10.0.0.7'] }],
    containers,
  };
}
