import { VERSION } from '../../version.ts';
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
import type { RuntimeContext } from '../runtime-provider.ts';
import { reviewContainer, reviewSandbox, type PodReview } from './pod-review.ts';
import { NamedImages } from './process-images.ts';
import type { ProcessOptions } from './process-options.ts';
import { SupervisorLink } from './supervisor-link.ts';

/** Settings that tests change. */
export interface ProcessRuntimeSettings {
  /** How long the supervisor stays with nothing to do, milliseconds. Default 10,000. */
  readonly idleMs?: number;
}

const IDLE_MS = 10_000;
/** Where a node has no address of its own, its pods still have one another. */
const LOOPBACK = '127.0.0.1';

/**
 * Containers as processes of this host, without isolation: for machines without a container runtime, and users without
 * root. They are children of one small process, the supervisor, which outlives the edge core: whatever becomes of that,
 * they go on, and are found again. What runs is in the supervisor; in here is what has to be refused or said before.
 */
export class ProcessRuntime implements ContainerRuntime {
  readonly name = 'process';
  readonly version = `process://${VERSION}`;
  readonly real = true;
  readonly traits = {
    caution:
      'containers are processes of this host, without isolation, and images are names only (pods.runtime: process)',
    usesCgroups: false,
    needsMounts: false,
  } as const;
  readonly images: NamedImages;
  readonly #context: RuntimeContext<ProcessOptions>;
  readonly #link: SupervisorLink;
  readonly #listeners = new Set<(uid: string | undefined) => void>();

  constructor(context: RuntimeContext<ProcessOptions>, settings: ProcessRuntimeSettings = {}) {
    const { dataDir, options, log } = context;
    this.#context = context;
    this.images = new NamedImages(process.getuid?.() ?? 0, [...options.images.keys()]);
    this.#link = new SupervisorLink({
      ...{ dir: dataDir, links: options.mounts === 'links', idleMs: settings.idleMs ?? IDLE_MS, log },
      onChange: (uid) => {
        for (const listener of this.#listeners) listener(uid);
      },
    });
  }

  /** Number of the supervisor's process; undefined: none has answered yet. */
  get supervisorPid(): number | undefined {
    return this.#link.pid;
  }

  async start(): Promise<void> {
    const { log } = this.#context;
    await this.#link.start().catch((error: unknown) => {
      log.warn({ err: error }, 'the supervisor of processes cannot be had; it is tried again');
    });
  }

  stop(): Promise<void> {
    this.#link.stop();
    return Promise.resolve();
  }

  async list(): Promise<readonly RuntimePod[]> {
    return (await this.#link.call('list', [])).map((pod) => this.#withAddress(pod));
  }

  async get(uid: string): Promise<RuntimePod | undefined> {
    const pod = await this.#link.call('get', [uid]);
    return pod === undefined ? undefined : this.#withAddress(pod);
  }

  listen(listener: (uid: string | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async conditions(): Promise<readonly RuntimeCondition[]> {
    const network = { type: 'NetworkReady', ok: true, reason: '', message: '' };
    try {
      await this.#link.call('hello', []);
      return [{ type: 'RuntimeReady', ok: true, reason: '', message: '' }, network];
    } catch (error) {
      const { message } = error as Error;
      return [{ type: 'RuntimeReady', ok: false, reason: 'SupervisorUnreachable', message }, network];
    }
  }

  async createSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string> {
    const { abilities } = await this.#link.call('hello', [], signal);
    const review = reviewSandbox(config, abilities);
    refuse(review);
    const { id, conflicts, isNew } = await this.#link.call('createSandbox', [config], signal);
    if (isNew) this.#tell(config, 'NotIsolated', review);
    if (conflicts.length > 0) {
      const message = `all pods have the node's address, and others say to listen on the same ports: ${conflicts.join(', ')}`;
      this.#context.tell(config, 'Warning', 'PortConflict', message);
    }
    return id;
  }

  stopSandbox(id: string, signal: AbortSignal): Promise<void> {
    return this.#link.call('stopSandbox', [id], signal);
  }

  removeSandbox(id: string, signal: AbortSignal): Promise<void> {
    return this.#link.call('removeSandbox', [id], signal);
  }

  async createContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
    signal: AbortSignal,
  ): Promise<string> {
    signal.throwIfAborted();
    const { abilities } = this.#link.facts;
    const review = reviewContainer(config, abilities);
    refuse(review);
    if (review.missed.length > 0) this.#tell(sandbox, 'NotEnforced', review, `container ${config.name}: `);
    return this.#link.call('createContainer', [sandboxId, sandbox, this.#withProgram(config)], signal);
  }

  startContainer(id: string, signal: AbortSignal): Promise<void> {
    return this.#link.call('startContainer', [id], signal);
  }

  stopContainer(id: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
    return this.#link.call('stopContainer', [id, graceSeconds], signal, graceSeconds * 1000);
  }

  removeContainer(id: string, signal: AbortSignal): Promise<void> {
    return this.#link.call('removeContainer', [id], signal);
  }

  exec(id: string, command: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ExecResult> {
    return this.#link.call('exec', [id, command, timeoutMs], signal, timeoutMs);
  }

  async streamUrl(request: StreamRequest, signal: AbortSignal): Promise<URL> {
    return new URL(await this.#link.call('streamUrl', [request], signal));
  }

  reopenLog(id: string, signal: AbortSignal): Promise<void> {
    return this.#link.call('reopenLog', [id], signal);
  }

  usage(signal: AbortSignal): Promise<readonly ContainerUsage[]> {
    return this.#link.call('usage', [], signal);
  }

  /** The node's address is that of its pods. */
  #withAddress(pod: RuntimePod): RuntimePod {
    const addresses = this.#context.nodeAddresses();
    const ips = addresses.length > 0 ? addresses : [LOOPBACK];
    return {
      ...pod,
      sandboxes: pod.sandboxes.map((sandbox) => (sandbox.ready ? { ...sandbox, ips } : sandbox)),
    };
  }

  /** A command that the pod does not give comes from what the configuration says of its image. */
  #withProgram(config: ContainerConfig): ContainerConfig {
    const program = this.#context.options.images.get(config.image);
    if (config.command.length > 0 && program === undefined) return config;
    if (program === undefined) {
      const why = `container ${config.name} has no command, and there are no images here that would have one`;
      const what = `give it a command in the pod's spec, or say under pods.runtimeOptions.images of this node what ${config.image} stands for`;
      throw new RuntimeError('ERR_EDGECORE_RUNTIME', `${why}: ${what}`);
    }
    const given = new Set(config.env.map(({ key }) => key));
    const more = Object.entries(program.env).filter(([key]) => !given.has(key));
    const own = config.command.length > 0;
    return {
      ...config,
      command: own ? config.command : program.command,
      args: own || config.args.length > 0 ? config.args : program.args,
      env: [...config.env, ...more.map(([key, value]) => ({ key, value }))],
      workingDir: config.workingDir === '' ? program.workingDir : config.workingDir,
    };
  }

  #tell(pod: SandboxConfig, reason: string, { missed }: PodReview, about = ''): void {
    if (missed.length > 0) this.#context.tell(pod, 'Warning', reason, about + missed.join('; '));
  }
}

function refuse({ refused }: PodReview): void {
  if (refused.length === 0) return;
  const message = `processes of this host cannot be given: ${refused.join('; ')}`;
  throw new RuntimeError('ERR_EDGECORE_RUNTIME', message);
}
