import type { Clock, Timer } from '@hawser/seams';
import type { ContainerConfig, SandboxConfig } from '../src/runtime/container-config.ts';
import type { RuntimePod } from '../src/runtime/container-runtime.ts';
import { PodTable, type ContainerExit } from '../src/runtime/pod-table.ts';

/** What runs in a container of a {@link SimulatedMachine}. */
export interface SimulatedProgram {
  /** It ends by itself after this time, milliseconds. Default: never. */
  readonly endsAfterMs?: number;
  /** How it ends by itself. Default: exit code 0. */
  readonly exit?: ContainerExit;
  /** How long it takes to end once it is told to, milliseconds; Infinity: it has to be killed. Default 0. */
  readonly stopTakesMs?: number;
  /** How it ends when it is told to. Default: exit code 0. */
  readonly stopExit?: ContainerExit;
}

/** Settings of {@link SimulatedMachine}. */
export interface SimulatedMachineOptions {
  readonly clock: Clock;
  /** What runs in a container. Default: goes on until it is told to end; `true` and `false` end at once. */
  readonly program?: (config: ContainerConfig, sandbox: SandboxConfig) => SimulatedProgram;
}

const KILLED: ContainerExit = { exitCode: 137 };
const ENDS: Readonly<Record<string, number>> = { true: 0, false: 1 };

/**
 * The machine that pods run on, in memory: it goes on while no edge core runs. Programs do what a test says, exits,
 * crashes, power cuts come when it says so. What happens in it is told to the runtimes that listen.
 */
export class SimulatedMachine {
  readonly clock: Clock;
  readonly pods: PodTable;
  /** Everything that was made or ended in it, in order: `start uid/name#attempt`, `exit uid/name#attempt 137` … */
  readonly log: string[] = [];
  readonly listeners = new Set<(uid: string | undefined) => void>();
  /** Says what runs in containers that are made from now on. */
  program: (config: ContainerConfig, sandbox: SandboxConfig) => SimulatedProgram;
  /** How long after the end of a container its state says so, milliseconds: it is told before. Default 0: it is one. */
  settlesAfterMs: () => number = () => 0;
  readonly #programs = new Map<string, SimulatedProgram>();
  readonly #timers = new Map<string, Set<Timer>>();
  readonly #ends = new Map<string, (() => void)[]>();
  #ids = 0;
  #addresses = 0;

  constructor(options: SimulatedMachineOptions) {
    this.clock = options.clock;
    this.program = options.program ?? ((config) => programOf(config.command[0]));
    this.pods = new PodTable(options.clock, () => {
      this.#ids += 1;
      return `id-${this.#ids}`;
    });
  }

  /** Containers that run, `uid/name`, sorted. */
  get running(): readonly string[] {
    return this.pods
      .all()
      .flatMap(({ uid, containers }) =>
        containers
          .filter(({ state, ended }) => state === 'running' && ended === undefined)
          .map(({ name }) => `${uid}/${name}`),
      )
      .sort();
  }

  makeSandbox(config: SandboxConfig): string {
    const present = this.pods.get(config.uid)?.sandboxes.find(({ attempt }) => attempt === config.attempt);
    if (present !== undefined) return present.id;
    this.#addresses += 1;
    const ips = config.namespaces.network === 'node' ? [] : [`10.88.0.${this.#addresses}`];
    const { id } = this.pods.makeSandbox(config, ips);
    this.note(config.uid, `sandbox ${config.uid}#${config.attempt}`);
    return id;
  }

  makeContainer(sandboxId: string, sandbox: SandboxConfig, config: ContainerConfig): string {
    const { id } = this.pods.makeContainer(sandboxId, sandbox.logDirectory, config);
    this.#programs.set(id, this.program(config, sandbox));
    this.note(sandbox.uid, `make ${sandbox.uid}/${config.name}#${config.attempt}`);
    return id;
  }

  startContainer(id: string): void {
    const { pod, container } = this.pods.container(id);
    if (container.state === 'running') return;
    this.pods.startContainer(id);
    this.note(pod.uid, `start ${pod.uid}/${container.name}#${container.attempt}`);
    const { endsAfterMs, exit = { exitCode: 0 } } = this.#programs.get(id) ?? {};
    if (endsAfterMs === undefined) return;
    if (endsAfterMs === 0) this.exit(id, exit);
    else this.#after(id, endsAfterMs, () => this.exit(id, exit));
  }

  /** Tells a container to end, and kills it after its grace. Resolves when it has ended. */
  stopContainer(id: string, graceSeconds: number): Promise<void> {
    const { container } = this.pods.container(id);
    if (container.state === 'exited') return Promise.resolve();
    const { stopTakesMs = 0, stopExit = { exitCode: 0 } } = this.#programs.get(id) ?? {};
    return new Promise((resolve) => {
      this.#ends.set(id, [...(this.#ends.get(id) ?? []), resolve]);
      if (container.state === 'created') this.exit(id, KILLED);
      else if (stopTakesMs === 0) this.exit(id, stopExit);
      else {
        const graceMs = graceSeconds * 1000;
        if (stopTakesMs < graceMs) this.#after(id, stopTakesMs, () => this.exit(id, stopExit));
        this.#after(id, graceMs, () => this.exit(id, KILLED));
      }
    });
  }

  /** A container ends. One that has ended: nothing to do. */
  exit(id: string, exit: ContainerExit): void {
    const found = this.pods.find(id);
    if (found === undefined || found.container.state === 'exited' || found.container.ended !== undefined)
      return;
    const { pod, container } = found;
    const settlesAfterMs = container.state === 'running' ? this.settlesAfterMs() : 0;
    this.#cancelTimers(id);
    if (settlesAfterMs > 0) {
      this.pods.tellEnd(id, exit.exitCode);
      this.#after(id, settlesAfterMs, () => this.#settle(id, exit));
    } else {
      this.pods.exit(id, exit);
      this.#forget(id);
    }
    this.note(pod.uid, `exit ${pod.uid}/${container.name}#${container.attempt} ${exit.exitCode}`);
  }

  #settle(id: string, exit: ContainerExit): void {
    const found = this.pods.find(id);
    this.pods.exit(id, exit);
    this.#forget(id);
    if (found !== undefined) for (const listener of this.listeners) listener(found.pod.uid);
  }

  /** The container of this name that runs ends; undefined UID: of whatever pod. */
  exitOf(uid: string, name: string, exit: ContainerExit): void {
    const container = this.pods.get(uid)?.containers.find((one) => one.name === name);
    if (container?.state === 'running') this.exit(container.id, exit);
  }

  /** The sandbox of a pod dies, with what runs in it. */
  killSandbox(uid: string): void {
    const sandbox = this.pods.get(uid)?.sandboxes[0];
    if (sandbox !== undefined) this.stopSandbox(sandbox.id);
  }

  stopSandbox(id: string): void {
    const pod = this.pods.ofSandbox(id);
    if (pod === undefined) return;
    for (const container of pod.containers) if (container.sandboxId === id) this.exit(container.id, KILLED);
    if (pod.sandboxes.find((sandbox) => sandbox.id === id)?.ready !== true) return;
    this.pods.stopSandbox(id, KILLED);
    this.note(pod.uid, `stop ${pod.uid}`);
  }

  removeSandbox(id: string): void {
    const pod = this.pods.ofSandbox(id);
    if (pod === undefined) return;
    this.stopSandbox(id);
    this.pods.removeSandbox(id);
    this.note(pod.uid, `remove ${pod.uid}`);
  }

  removeContainer(id: string): void {
    const found = this.pods.find(id);
    if (found === undefined) return;
    this.exit(id, KILLED);
    this.pods.removeContainer(id);
    this.#programs.delete(id);
    this.note(found.pod.uid, `remove ${found.pod.uid}/${found.container.name}#${found.container.attempt}`);
  }

  /**
   * The power goes: nothing runs any more.
   * @param keepsRecords the runtime still knows what ran, and that it does not
   */
  powerCut(keepsRecords: boolean): void {
    for (const { uid } of this.pods.all()) this.#killAll(uid);
    this.log.push('power cut');
    if (!keepsRecords) this.pods.clear();
  }

  /** Something has happened to a pod. */
  note(uid: string, what: string): void {
    this.log.push(what);
    for (const listener of this.listeners) listener(uid);
  }

  #killAll(uid: string): void {
    const pod: RuntimePod | undefined = this.pods.get(uid);
    for (const { id } of pod?.containers ?? []) {
      // What a containerd says of containers that ended while it did not run.
      this.pods.exit(id, { exitCode: 255, reason: 'Unknown' });
      this.#forget(id);
    }
    for (const { id } of pod?.sandboxes ?? []) this.pods.stopSandbox(id, KILLED);
  }

  #after(id: string, delayMs: number, callback: () => void): void {
    const timers = this.#timers.get(id) ?? new Set();
    this.#timers.set(id, timers);
    timers.add(this.clock.setTimer(delayMs, callback, { background: true }));
  }

  #cancelTimers(id: string): void {
    for (const timer of this.#timers.get(id) ?? []) timer.cancel();
    this.#timers.delete(id);
  }

  #forget(id: string): void {
    this.#cancelTimers(id);
    for (const resolve of this.#ends.get(id) ?? []) resolve();
    this.#ends.delete(id);
  }
}

function programOf(command = ''): SimulatedProgram {
  const exitCode = ENDS[command];
  if (exitCode !== undefined) return { endsAfterMs: 0, exit: { exitCode } };
  return command === 'deaf' ? { stopTakesMs: Infinity } : {};
}
