import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { EdgeConfigInput } from '@hawser/edgecore';
import { delay } from '@hawser/seams';
import type { Containers, Running } from './containers.ts';
import { killNow } from './kill-now.ts';

/** In the environment of each process of a container: who put it there is said beside it. */
const VARIABLES = { container: 'HAWSER_CONTAINER', pod: 'POD_NAME', site: 'DEMO_SITE' } as const;
const PASSES = 100;
const PAUSE_MS = 10;

/** A process of a container, or what containers are children of. */
interface Found {
  readonly pid: number;
  /** Undefined: it is the supervisor. */
  readonly container?: Running;
}

/** Containers as processes of this machine, without isolation: the runtime `process`. Found in /proc, past the edge. */
export class ProcessContainers implements Containers {
  readonly about = 'pods are processes of this machine, without isolation';
  /** Folder of the site: what has it in its command line, or its environment, is of this run. */
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  configure(config: EdgeConfigInput): EdgeConfigInput {
    return { ...config, pods: { runtime: 'process', logDir: path.join(this.#dir, 'logs'), ...config.pods } };
  }

  async running(): Promise<readonly Running[]> {
    const found = (await this.#processes()).flatMap(({ container }) => container ?? []);
    return [...new Map(found.map((container) => [container.id, container])).values()];
  }

  async kill({ id }: Running): Promise<void> {
    for (const { pid, container } of await this.#processes()) if (container?.id === id) killNow(pid);
  }

  async cutPower(): Promise<void> {
    for (let pass = 0; pass < PASSES; pass += 1) {
      const processes = await this.#processes();
      if (processes.length === 0) return;
      // The one that would see the others end is the first to go.
      const supervisors = processes.filter(({ container }) => container === undefined);
      for (const { pid } of supervisors.length > 0 ? supervisors : processes) killNow(pid);
      await delay(PAUSE_MS);
    }
    throw new Error('processes of pods are not to be ended');
  }

  async close(): Promise<void> {
    await this.cutPower();
  }

  async #processes(): Promise<readonly Found[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(pids.map((pid) => this.#look(Number(pid))));
    return found.filter((one) => one !== undefined);
  }

  async #look(pid: number): Promise<Found | undefined> {
    const [command, environment] = await Promise.all(
      ['cmdline', 'environ'].map((file) =>
        readFile(`/proc/${pid}/${file}`, 'utf8').then(
          (text) => text.split('\0'),
          () => [], // it has ended, or is somebody else's
        ),
      ),
    );
    const value = (name: string): string | undefined =>
      environment?.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
    const id = value(VARIABLES.container);
    if (id !== undefined)
      return value(VARIABLES.site) === this.#dir
        ? { pid, container: { id, pod: value(VARIABLES.pod) ?? '' } }
        : undefined;
    const isSupervisor =
      command?.some((word) => word.endsWith('supervisor.js') || word.endsWith('supervisor-main.js')) ===
        true && command.some((word) => word.startsWith(`${this.#dir}/`));
    return isSupervisor ? { pid } : undefined;
  }
}
