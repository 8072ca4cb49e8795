import { Backoff, delay, systemClock, type Clock, type Logger } from '@hawser/seams';
import type { ContainerdEvent } from '../../cri/containerd-events.ts';
import { CriClient } from '../../cri/cri-client.ts';
import { EdgeCoreError } from '../../errors.ts';
import type { ContainerConfig, SandboxConfig } from '../container-config.ts';
import type {
  ContainerRuntime,
  ContainerUsage,
  ExecResult,
  RuntimeCondition,
  RuntimePod,
  StreamRequest,
} from '../container-runtime.ts';
import { RuntimeError } from '../runtime-error.ts';
import { CriCalls } from './cri-calls.ts';
import { CriImages } from './cri-images.ts';
import { EndWatch } from './end-watch.ts';
import { EventSource, type EventSourceKind } from './event-source.ts';
import { PodCache } from './pod-cache.ts';
import { PodReader } from './pod-reader.ts';
import { identify, runtimeConditions, usageOf, type RuntimeIdentity } from './runtime-status.ts';
import { execSync, streamUrl } from './ways-in.ts';

/** Settings of a {@link CriRuntime}. */
export interface CriRuntimeOptions {
  /** Address of the runtime: `unix:///run/containerd/containerd.sock`, or the path alone. */
  readonly endpoint: string;
  readonly log: Logger;
  /** Value of the label `hawser.dev/managed-by`: only what has it is seen. Default `edgecore`. */
  readonly owner?: string;
  readonly clock?: Clock;
  /** What {@link CriRuntime.version} was in a life before this one. Default: it was never reached. */
  readonly lastKnown?: string;
  /** It is another version than it was before. */
  readonly onVersion?: (version: string) => void;
}

/** What the node says of a runtime that nobody has ever reached. */
const NEVER_REACHED = 'unknown://unknown';

const DEFAULT_OWNER = 'edgecore';
const RECONNECT_BASE_MS = 100;
const RECONNECT_CAP_MS = 5_000;
/** A connection that held this long was a good one: the next attempt comes soon again. */
const GOOD_CONNECTION_MS = 10_000;

/**
 * A container runtime behind CRI v1: containerd, CRI-O. What it does not know of, such as sandboxes of another kubelet
 * on the same containerd, is not ours, and is left alone.
 */
export class CriRuntime implements ContainerRuntime {
  readonly real = true;
  readonly images: CriImages;
  readonly #client: CriClient;
  readonly #cache = new PodCache();
  readonly #reader: PodReader;
  readonly #calls: CriCalls;
  readonly #events: EventSource;
  readonly #ends: EndWatch;
  readonly #owner: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #listeners = new Set<(uid: string | undefined) => void>();
  readonly #stopping = new AbortController();
  readonly #lastKnown: string | undefined;
  readonly #onVersion: (version: string) => void;
  #identity: RuntimeIdentity = { name: 'containerd', version: '', recursiveReadOnly: new Set() };
  #started: Promise<void> | undefined;
  #listening: Promise<void> | undefined;
  /** Whether the log has been told that it is away. */
  #away = false;

  /** @throws EdgeCoreError `ERR_EDGECORE_CONFIG` where the endpoint is no unix socket */
  constructor(options: CriRuntimeOptions) {
    const { owner = DEFAULT_OWNER, clock = systemClock, lastKnown, onVersion = () => {} } = options;
    this.#lastKnown = lastKnown;
    this.#onVersion = onVersion;
    this.#owner = owner;
    this.#clock = clock;
    this.#log = options.log.child({ component: 'runtime' });
    const client = new CriClient({ socketPath: socketPathOf(options.endpoint) });
    const cache = this.#cache;
    const changed = (uid: string | undefined): void => this.#tell(uid);
    this.#client = client;
    this.images = new CriImages({ client, owner });
    this.#reader = new PodReader({ client, cache, clock, owner });
    this.#calls = new CriCalls({ client, reader: this.#reader, cache, owner });
    this.#ends = new EndWatch({ reader: this.#reader, cache, clock, changed });
    const sink = {
      containerd: (event: ContainerdEvent): void => {
        if (event.kind === 'images') this.images.changed();
        else this.#ends.take(event);
      },
      changed,
      listening: (kind: EventSourceKind): void => {
        if (kind === 'containerd') this.images.follow(); // the others tell nothing of images
        this.#log.debug({ kind }, 'listening to the container runtime');
      },
    };
    this.#events = new EventSource({ client, reader: this.#reader, clock, owner, sink });
  }

  get name(): string {
    return this.#identity.name;
  }

  /** What it said last; before it has ever said so, what `lastKnown` has. */
  get version(): string {
    const { name, version } = this.#identity;
    return version === '' ? (this.#lastKnown ?? NEVER_REACHED) : `${name}://${version}`;
  }

  hasRecursiveReadOnly(handler: string): boolean {
    return this.#identity.recursiveReadOnly.has(handler);
  }

  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#ends.stop();
    await this.#started;
    await this.#listening;
    this.#client.close();
    this.#listeners.clear();
  }

  list(): Promise<readonly RuntimePod[]> {
    return this.#reader.list();
  }

  get(uid: string): Promise<RuntimePod | undefined> {
    return this.#reader.get(uid);
  }

  listen(listener: (uid: string | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  conditions(): Promise<readonly RuntimeCondition[]> {
    return runtimeConditions(this.#client);
  }

  createSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string> {
    return this.#calls.createSandbox(config, signal);
  }

  stopSandbox(id: string, signal: AbortSignal): Promise<void> {
    return this.#calls.stopSandbox(id, signal);
  }

  removeSandbox(id: string, signal: AbortSignal): Promise<void> {
    return this.#calls.removeSandbox(id, signal);
  }

  /** @throws RuntimeError where a mount must be read-only with all below it and the runtime cannot do that */
  async createContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
    signal: AbortSignal,
  ): Promise<string> {
    const recursive = config.mounts.find((mount) => mount.recursiveReadOnly === true);
    // A runtime that does not know the field would leave what is mounted below it writable, and say nothing.
    if (recursive !== undefined && !this.#identity.recursiveReadOnly.has(sandbox.runtimeHandler)) {
      const message = `${recursive.containerPath}: this runtime (${this.version}) has no recursive read-only mounts`;
      throw new RuntimeError('ERR_EDGECORE_RUNTIME', message, { about: config.name });
    }
    return this.#calls.createContainer(sandboxId, sandbox, config, signal);
  }

  startContainer(id: string, signal: AbortSignal): Promise<void> {
    return this.#calls.startContainer(id, signal);
  }

  stopContainer(id: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
    return this.#calls.stopContainer(id, graceSeconds, signal);
  }

  removeContainer(id: string, signal: AbortSignal): Promise<void> {
    return this.#calls.removeContainer(id, signal);
  }

  exec(id: string, command: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ExecResult> {
    return execSync(this.#client, id, command, timeoutMs, signal);
  }

  streamUrl(request: StreamRequest, signal: AbortSignal): Promise<URL> {
    return streamUrl(this.#client, request, signal);
  }

  async reopenLog(containerId: string, signal: AbortSignal): Promise<void> {
    await this.#client.call('ReopenContainerLog', { containerId }, { signal });
  }

  usage(signal: AbortSignal): Promise<readonly ContainerUsage[]> {
    return usageOf(this.#client, this.#owner, signal);
  }

  /** One attempt to learn who it is, so that the version is known; then it is listened to, whether it is there or not. */
  async #start(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await this.#connect(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#sayAway(error);
    }
    this.#listening = this.#keepListening(signal);
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const before = this.version;
    this.#identity = await identify(this.#client, signal);
    if (this.version !== before) this.#onVersion(this.version);
    if (this.#away) this.#log.info({ version: this.version }, 'the container runtime answers again');
    this.#away = false;
  }

  async #keepListening(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ baseMs: RECONNECT_BASE_MS, capMs: RECONNECT_CAP_MS });
    while (true) {
      const since = this.#clock.monotonicMs();
      try {
        await this.#connect(signal);
        await this.#events.follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#sayAway(error);
      } finally {
        this.images.unfollow();
        this.#cache.doubt();
      }
      if (this.#clock.monotonicMs() - since > GOOD_CONNECTION_MS) backoff.reset();
      try {
        await delay(backoff.nextMs(), { clock: this.#clock, signal });
      } catch {
        return; // stopping
      }
    }
  }

  #sayAway(error: unknown): void {
    const fields = { error: error instanceof Error ? error.message : String(error) };
    if (this.#away) this.#log.debug(fields, 'the container runtime is still away');
    else this.#log.warn(fields, 'the container runtime is away; it is tried again');
    this.#away = true;
  }

  #tell(uid: string | undefined): void {
    for (const listener of this.#listeners) listener(uid);
  }
}

/** The path of the socket that an endpoint names. */
function socketPathOf(endpoint: string): string {
  const socketPath = endpoint.startsWith('unix://') ? endpoint.slice('unix://'.length) : endpoint;
  if (socketPath.startsWith('/')) return socketPath;
  throw new EdgeCoreError('ERR_EDGECORE_CONFIG', `${endpoint}: no address of a unix socket (unix:///path)`, {
    about: endpoint,
  });
}
