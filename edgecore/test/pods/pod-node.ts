import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import { contentOf } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import { PodManager } from '../../src/pods/pod-manager.ts';
import { PodStatuses } from '../../src/pods/pod-statuses.ts';
import type { ContainerStatus, PodStatus } from '../../src/pods/pod-status-types.ts';
import { statusOf } from '../../src/pods/pod-status-types.ts';
import type { Pod } from '../../src/pods/pod.ts';
import type { ContainerRuntime } from '../../src/runtime/container-runtime.ts';
import {
  MemoryJsonState,
  ScriptedParts,
  SimulatedMachine,
  SimulatedRuntime,
  type SimulatedProgram,
} from '../../testing/index.ts';

export const SCOPE = 'node/edge-1';

/** A node that runs pods on a simulated machine, that can be restarted. */
export class PodNode {
  readonly clock = new FakeClock({ wallMs: Date.UTC(2026, 0, 1) });
  readonly state = new MemoryJsonState();
  readonly replica = new MemoryReplicaStore();
  readonly machine = new SimulatedMachine({ clock: this.clock });
  readonly scripted = new ScriptedParts();
  /** Programs by the name of the container; others go on until they are told to end. */
  readonly programs = new Map<string, SimulatedProgram>();
  /** What was reported, in order: `a Running`, `uid-a gone`. */
  readonly reports: string[] = [];
  /** Events: `Normal Killing main: Stopping container main`. */
  readonly events: string[] = [];
  readonly statuses = new Map<string, PodStatus>();
  parallelStarts = 10;
  runtime = new SimulatedRuntime({ machine: this.machine });
  manager: PodManager;

  constructor() {
    this.machine.program = ({ name }) => this.programs.get(name) ?? {};
    this.manager = this.#make(this.runtime);
  }

  async put(pod: Pod): Promise<void> {
    const object = { apiVersion: 'v1', kind: 'Pod', ...pod };
    await this.replica.apply(SCOPE, [{ put: contentOf('pods', object) }]);
  }

  async remove(name: string): Promise<void> {
    await this.replica.apply(SCOPE, [{ remove: `pods/default/${name}` }]);
  }

  /** Puts a pod, and lets happen what happens at once. */
  async run(pod: Pod): Promise<void> {
    await this.put(pod);
    await this.manager.start();
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let n = 0; n < 20; n++) await this.clock.advance(0);
  }

  /** Lets time pass, and what it brings happen. */
  async pass(seconds: number): Promise<void> {
    await this.clock.advance(seconds * 1000);
    await this.settle();
  }

  async restart(): Promise<void> {
    await this.manager.stop();
    this.again();
    await this.manager.start();
    await this.settle();
  }

  /** The next life of the edge core, not started. The one before is not stopped. */
  again(runtime: SimulatedRuntime = new SimulatedRuntime({ machine: this.machine })): void {
    this.runtime = runtime;
    this.manager = this.#make(this.runtime);
  }

  status(uid: string): PodStatus {
    const status = this.statuses.get(uid);
    if (status === undefined) throw new Error(`no status of ${uid}`);
    return status;
  }

  container(uid: string, name: string): ContainerStatus {
    const status = statusOf(this.statuses.get(uid), name);
    if (status === undefined) throw new Error(`no status of ${uid}/${name}`);
    return status;
  }

  phase(uid: string): string | undefined {
    return this.statuses.get(uid)?.phase;
  }

  async becomes(uid: string, phase: string): Promise<void> {
    await eventually(`${uid} is ${phase}`, async () => {
      await this.settle();
      return this.phase(uid) === phase;
    });
  }

  #make(runtime: ContainerRuntime): PodManager {
    return new PodManager({
      scope: SCOPE,
      replica: this.replica,
      runtime,
      parts: this.scripted.parts,
      statuses: new PodStatuses(this.state),
      reports: {
        status: (pod, status) => {
          this.reports.push(`${pod.metadata.name} ${status.phase}`);
          this.statuses.set(pod.metadata.uid, status);
        },
        gone: (pod) => this.reports.push(`${pod.metadata.uid} gone`),
      },
      events: {
        record: (_pod, type, reason, message, container) =>
          this.events.push(`${type} ${reason}${container === undefined ? '' : ` ${container}`}: ${message}`),
      },
      isLost: () => false,
      hasLost: () => false,
      onUnreadable: () => {},
      onPods: () => {},
      hostIps: () => ['192.0.2.1'],
      relistPeriodMs: 60_000,
      parallelStarts: this.parallelStarts,
      clock: this.clock,
      log: silentLogger,
    });
  }
}
