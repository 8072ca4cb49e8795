import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { delay, systemClock } from '@hawser/seams';
import type { ContainerConfig, SandboxConfig } from '../container-config.ts';
import type { ContainerUsage, ExecResult, RuntimePod, StreamRequest } from '../container-runtime.ts';
import { PodTable } from '../pod-table.ts';
import { RuntimeError } from '../runtime-error.ts';
import { findAbilities, findPrograms, type Abilities, type Programs } from './abilities.ts';
import { killMembers, sessionMembers } from './container-members.ts';
import { ContainerProcess } from './container-process.ts';
import { runCommand } from './exec-command.ts';
import { launchContainer, launchInside, type Launch } from './launch.ts';
import { LogWriter } from './log-writer.ts';
import { PodFiles } from './pod-files.ts';
import { checkPorts, sharedPorts } from './port-conflicts.ts';
import { allProcesses, bootId, processorNanos, residentBytes } from './process-stat.ts';
import type { StreamTarget } from './stream-target.ts';
import {
  PROTOCOL,
  SUPERVISOR_FILES,
  type SupervisorCalls,
  type SupervisorFacts,
} from './supervisor-protocol.ts';

/** What a {@link ProcessEngine} needs. */
export interface ProcessEngineOptions {
  /** Folder of the supervisor, there already, its user's alone. */
  readonly dir: string;
  readonly release: string;
  /** Never use mount namespaces. */
  readonly links: boolean;
  /** Answers where a stream can be had. */
  readonly openStream: (target: StreamTarget) => Promise<string>;
  /** A pod has changed. */
  readonly onChange: (uid: string) => void;
  readonly onProblem: (message: string) => void;
}

/** A container of this life of the supervisor. */
interface LiveContainer {
  readonly sandbox: SandboxConfig;
  readonly config: ContainerConfig;
  readonly folder: string;
  process?: ContainerProcess;
  log?: LogWriter;
}

/** Source: containerd: what became of a container that nobody has seen the end of. */
const UNKNOWN_END = { exitCode: 255, reason: 'Unknown' } as const;
/** Source: containerd: of a container whose program could not be started. */
const START_FAILED = 128;
const ID_BYTES = 32;
const STOP_SANDBOX_GRACE_S = 0;

/**
 * What a supervisor does: it starts the processes of containers, reads what they write, and sees how they end. Truth
 * about what runs is in here; the disk has enough of it to end what is left where this process was killed.
 */
export class ProcessEngine implements SupervisorCalls {
  readonly #options: ProcessEngineOptions;
  readonly #pods = new PodTable(systemClock, () => randomBytes(ID_BYTES).toString('hex'));
  readonly #files: PodFiles;
  readonly #sandboxes = new Map<string, SandboxConfig>();
  readonly #containers = new Map<string, LiveContainer>();
  readonly #cpuNanos = new Map<string, number>();
  readonly #programs: Programs = findPrograms();
  #abilities: Abilities | undefined;
  #bootId = '';

  constructor(options: ProcessEngineOptions) {
    this.#options = options;
    this.#files = new PodFiles(path.join(options.dir, SUPERVISOR_FILES.pods));
  }

  /** Ends what a supervisor before has left. @throws Error the folder cannot be used */
  async start(): Promise<void> {
    const { dir, links } = this.#options;
    const scratch = path.join(dir, 'scratch');
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    this.#abilities = await findAbilities(this.#programs, scratch, links);
    this.#bootId = await bootId();
    for (const { bootId: boot, pod, processes } of await this.#files.read()) {
      if (boot === this.#bootId)
        await Promise.all(pod.containers.map(({ id }) => killMembers(id, processes[id])));
      this.#pods.put(pod);
      for (const { id } of pod.sandboxes) this.#pods.stopSandbox(id, UNKNOWN_END);
      await this.#keep(pod.uid);
    }
  }

  /** Whether it has nothing to look after. */
  get isIdle(): boolean {
    return !this.#pods.all().some(({ sandboxes }) => sandboxes.some(({ ready }) => ready));
  }

  hello(): Promise<SupervisorFacts> {
    const { release } = this.#options;
    return Promise.resolve({ protocol: PROTOCOL, release, pid: process.pid, abilities: this.#able() });
  }

  list(): Promise<readonly RuntimePod[]> {
    return Promise.resolve(this.#pods.all());
  }

  get(uid: string): Promise<RuntimePod | undefined> {
    return Promise.resolve(this.#pods.get(uid));
  }

  async createSandbox(config: SandboxConfig): ReturnType<SupervisorCalls['createSandbox']> {
    const others = this.#others(config.uid);
    const isNew =
      this.#pods.get(config.uid)?.sandboxes.every(({ attempt }) => attempt !== config.attempt) ?? true;
    if (isNew) await checkPorts(config, others);
    const { id } = this.#pods.makeSandbox(config, []);
    this.#sandboxes.set(id, config);
    await this.#keep(config.uid);
    return { id, isNew, conflicts: isNew ? sharedPorts(config, others) : [] };
  }

  async stopSandbox(id: string): Promise<void> {
    const pod = this.#pods.ofSandbox(id);
    if (pod === undefined) return;
    const containers = pod.containers.filter(({ sandboxId }) => sandboxId === id);
    await Promise.all(containers.map((container) => this.stopContainer(container.id, STOP_SANDBOX_GRACE_S)));
    this.#pods.stopSandbox(id, UNKNOWN_END);
    await this.#keep(pod.uid);
  }

  async removeSandbox(id: string): Promise<void> {
    const pod = this.#pods.ofSandbox(id);
    if (pod === undefined) return;
    await this.stopSandbox(id);
    for (const container of pod.containers)
      if (container.sandboxId === id) await this.removeContainer(container.id);
    this.#pods.removeSandbox(id);
    this.#sandboxes.delete(id);
    await this.#keep(pod.uid);
  }

  async createContainer(sandboxId: string, sandbox: SandboxConfig, config: ContainerConfig): Promise<string> {
    const { id } = this.#pods.makeContainer(sandboxId, sandbox.logDirectory, config);
    if (!this.#containers.has(id)) {
      const folder = path.join(this.#options.dir, SUPERVISOR_FILES.containers, id);
      this.#containers.set(id, { sandbox, config, folder });
      await mkdir(folder, { recursive: true, mode: 0o700 });
    }
    await this.#keep(sandbox.uid);
    return id;
  }

  async startContainer(id: string): Promise<void> {
    const { pod, container } = this.#pods.container(id);
    const live = this.#live(id);
    if (container.state !== 'created' || live.process !== undefined) {
      this.#pods.startContainer(id); // it runs already, or has ended
      return;
    }
    try {
      await this.#launch(id, container.logPath, live);
    } catch (error) {
      const { message } = error as Error;
      this.#pods.exit(id, { exitCode: START_FAILED, reason: 'StartError', message });
      await this.#keep(pod.uid);
      throw new RuntimeError('ERR_EDGECORE_RUNTIME', message, { about: id, cause: error });
    }
    await this.#keep(pod.uid);
  }

  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    const found = this.#pods.find(id);
    const running = this.#containers.get(id)?.process;
    if (found?.container.state !== 'running' || running === undefined) return;
    const over = new AbortController();
    const settled = running.ended.then(() => over.abort());
    running.signal('SIGTERM');
    await Promise.race([delay(graceSeconds * 1000, { signal: over.signal }).catch(() => {}), settled]); // whichever is first
    await running.kill();
    await this.#ended(id, await running.ended);
  }

  async removeContainer(id: string): Promise<void> {
    const found = this.#pods.find(id);
    if (found === undefined) return;
    await this.stopContainer(id, 0);
    const folder = path.join(this.#options.dir, SUPERVISOR_FILES.containers, id);
    await rm(folder, { recursive: true, force: true }); // its mounts were in a namespace that has ended with it
    this.#containers.delete(id);
    this.#cpuNanos.delete(id);
    this.#pods.removeContainer(id);
    await this.#keep(found.pod.uid);
  }

  exec(id: string, command: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<ExecResult> {
    return runCommand({ id, launch: this.#inside(id, command), timeoutMs, signal });
  }

  streamUrl(request: StreamRequest): Promise<string> {
    return this.#options.openStream(this.#target(request));
  }

  async reopenLog(id: string): Promise<void> {
    this.#pods.container(id);
    await this.#live(id).log?.reopen();
  }

  async usage(): Promise<readonly ContainerUsage[]> {
    const all = await allProcesses();
    const running = [...this.#containers].flatMap(([id, { process }]) =>
      process?.identity === undefined ? [] : [{ id, identity: process.identity }],
    );
    const atMs = Date.now();
    return Promise.all(
      running.map(async ({ id, identity }) => {
        const { pod, container } = this.#pods.container(id);
        const members = sessionMembers(all, identity);
        const sizes = await Promise.all(members.map(({ pid }) => residentBytes(pid)));
        const cpuNanos = Math.max(processorNanos(members), this.#cpuNanos.get(id) ?? 0); // never less than before
        this.#cpuNanos.set(id, cpuNanos);
        return {
          ...{ podUid: pod.uid, name: container.name, id, atMs, cpuNanos },
          memoryWorkingSetBytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
          ...{ diskBytes: 0, diskInodes: 0 },
        };
      }),
    );
  }

  async #launch(id: string, logPath: string, live: LiveContainer): Promise<void> {
    const { sandbox, config, folder } = live;
    const launch = await launchContainer({
      ...{ id, sandbox, config, folder, abilities: this.#able(), programs: this.#programs },
    });
    const onFailure = (error: unknown): void =>
      this.#options.onProblem(`the log ${logPath} cannot be written: ${(error as Error).message}`);
    const log = logPath === '' ? undefined : new LogWriter(logPath, onFailure);
    if (log !== undefined) live.log = log;
    const started = new ContainerProcess({ id, launch, log, stdin: config.stdin });
    live.process = started;
    await started.start();
    this.#pods.startContainer(id);
    void started.ended.then((exitCode) => this.#ended(id, exitCode));
  }

  /** Never rejects. */
  async #ended(id: string, exitCode: number): Promise<void> {
    const found = this.#pods.find(id);
    if (found?.container.state !== 'running') return;
    this.#pods.exit(id, { exitCode });
    const live = this.#containers.get(id);
    if (live !== undefined) delete live.process;
    this.#cpuNanos.delete(id);
    await this.#keep(found.pod.uid).catch((error: unknown) => {
      this.#options.onProblem(`the end of a container could not be kept: ${(error as Error).message}`);
    });
  }

  #target(request: StreamRequest): StreamTarget {
    if (request.kind === 'port-forward') {
      if (this.#pods.ofSandbox(request.sandboxId) === undefined) throw missing(request.sandboxId);
      return { kind: 'port-forward', ports: request.ports };
    }
    const { kind, containerId, stdin, stdout, stderr, tty } = request;
    const wanted = { stdin, stdout, stderr, tty };
    if (kind === 'exec') {
      const { script, stty } = this.#programs;
      return {
        kind,
        launch: this.#inside(containerId, request.command),
        ...wanted,
        programs: { script, stty },
      };
    }
    return { kind, process: this.#running(containerId), ...wanted };
  }

  #inside(id: string, command: readonly string[]): Launch {
    const { identity } = this.#running(id);
    const { sandbox, config, folder } = this.#live(id);
    const common = { id, sandbox, config, folder, abilities: this.#able(), programs: this.#programs };
    return launchInside(common, identity?.pid ?? 0, command);
  }

  #running(id: string): ContainerProcess {
    const { container } = this.#pods.container(id);
    const { process: running } = this.#live(id);
    if (container.state === 'running' && running?.identity !== undefined) return running;
    throw new RuntimeError('ERR_EDGECORE_RUNTIME', `container ${id} does not run`, { about: id });
  }

  #live(id: string): LiveContainer {
    const live = this.#containers.get(id);
    if (live === undefined) throw missing(id);
    return live;
  }

  #able(): Abilities {
    if (this.#abilities === undefined) throw new Error('the engine was not started');
    return this.#abilities;
  }

  /** Sandboxes of other pods that are up. */
  #others(uid: string): readonly SandboxConfig[] {
    const ready = this.#pods
      .all()
      .flatMap(({ sandboxes }) => sandboxes.filter(({ ready: isReady }) => isReady));
    return ready.flatMap(({ id }) => this.#sandboxes.get(id) ?? []).filter((config) => config.uid !== uid);
  }

  async #keep(uid: string): Promise<void> {
    const pod = this.#pods.get(uid);
    const processes = Object.fromEntries(
      (pod?.containers ?? []).flatMap(({ id }) => {
        const identity = this.#containers.get(id)?.process?.identity;
        return identity === undefined ? [] : [[id, identity] as const];
      }),
    );
    await this.#files.write(uid, pod === undefined ? undefined : { bootId: this.#bootId, pod, processes });
    this.#options.onChange(uid);
  }
}

function missing(id: string): RuntimeError {
  return new RuntimeError('ERR_EDGECORE_RUNTIME', `no container or sandbox ${id}`, {
    notFound: true,
    about: id,
  });
}
