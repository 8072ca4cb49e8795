import path from 'node:path';
import { silentLogger, systemClock } from '@hawser/seams';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { readProcessOptions } from '../../../src/runtime/process/process-options.ts';
import { ProcessRuntime } from '../../../src/runtime/process/process-runtime.ts';
import { processStat } from '../../../src/runtime/process/process-stat.ts';
import { SUPERVISOR_FILES } from '../../../src/runtime/process/supervisor-protocol.ts';
import { MemoryJsonState } from '../../../testing/index.ts';

/** Long enough for a restart of the edge core in a test, short enough to end with it. */
const IDLE_MS = 300;
const NEVER = new AbortController().signal;

/** What was said about a pod. */
export interface Told {
  readonly name: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** A runtime of processes with a supervisor of its own, in a folder of its own. */
export class ProcessSite {
  readonly told: Told[] = [];
  readonly logs: string;
  runtime: ProcessRuntime;
  readonly #temp: TempDir;
  readonly #options: Readonly<Record<string, unknown>>;
  #addresses: readonly string[] = ['127.0.0.1'];

  private constructor(temp: TempDir, options: Readonly<Record<string, unknown>>) {
    this.#temp = temp;
    this.#options = options;
    this.logs = path.join(temp.path, 'logs');
    this.runtime = this.#make();
  }

  static async open(options: Readonly<Record<string, unknown>> = {}): Promise<ProcessSite> {
    return new ProcessSite(await makeTempDir(), options);
  }

  /** Folder of the supervisor. */
  get dir(): string {
    return path.join(this.#temp.path, 'process');
  }

  get socket(): string {
    return path.join(this.dir, SUPERVISOR_FILES.socket);
  }

  set addresses(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  /** The runtime of the next edge core; that of the one before is stopped. */
  async reopen(): Promise<ProcessRuntime> {
    await this.runtime.stop();
    this.runtime = this.#make();
    return this.runtime;
  }

  async removePods(): Promise<void> {
    for (const { sandboxes } of await this.runtime.list())
      for (const { id } of sandboxes) await this.runtime.removeSandbox(id, NEVER);
  }

  /** Ends all pods and, by that, the supervisor. */
  async close(): Promise<void> {
    const last = await this.reopen();
    await last.start();
    await this.removePods();
    const pid = last.supervisorPid;
    await last.stop();
    await eventually(
      'the supervisor has ended',
      async () => pid === undefined || (await processStat(pid)) === undefined,
      {
        deadlineMs: 10_000,
      },
    );
    await this.#temp.remove();
  }

  #make(): ProcessRuntime {
    return new ProcessRuntime(
      {
        options: readProcessOptions(this.#options),
        node: 'edge-1',
        dataDir: this.dir,
        state: new MemoryJsonState(),
        nodeAddresses: () => this.#addresses,
        tell: ({ name }, type, reason, message) => this.told.push({ name, type, reason, message }),
        clock: systemClock,
        log: silentLogger,
      },
      { idleMs: IDLE_MS },
    );
  }
}
