import { ContainerdSite } from '@hawser/edgecore/testing';
import type { EdgeConfigInput } from '@hawser/edgecore';
import { edgeConfigFor } from '../pods-site/pods-site.ts';
import { podsInRuntime } from '../pods-site/running-containers.ts';

/** A container that runs. */
export interface Running {
  readonly pod: string;
  readonly id: string;
}

/** What really runs an edge's pods, as the demonstration sees it: past the edge. */
export interface Containers {
  /** In a line, for the journal. */
  readonly about: string;
  /** The configuration of an edge that runs its pods here. */
  configure(config: EdgeConfigInput): EdgeConfigInput;
  running(): Promise<readonly Running[]>;
  /** Kills one, with nobody in the cloud to see it. */
  kill(container: Running): Promise<void>;
  /** Ends every process of every container, and what is known of them; then the machine "boots". */
  cutPower(): Promise<void>;
  /** Ends everything, and leaves nothing. */
  close(): Promise<void>;
}

/** A containerd of its own. */
export class CriContainers implements Containers {
  readonly #site: ContainerdSite;

  private constructor(site: ContainerdSite) {
    this.#site = site;
  }

  /** @throws Error with the reason why there cannot be one here */
  static async open(): Promise<CriContainers> {
    return new CriContainers(await ContainerdSite.open());
  }

  get about(): string {
    return `a containerd of its own (process ${this.#site.pid ?? 0}, pods in ${this.#site.subnet})`;
  }

  configure(config: EdgeConfigInput): EdgeConfigInput {
    return edgeConfigFor(this.#site, config);
  }

  async running(): Promise<readonly Running[]> {
    const pods = await podsInRuntime(this.#site);
    return pods.flatMap(({ name, containers }) =>
      containers.filter(({ state }) => state === 'running').map(({ id }) => ({ pod: name, id })),
    );
  }

  async kill({ id }: Running): Promise<void> {
    await this.#site.ctr(['tasks', 'kill', '--signal', 'SIGKILL', id]);
  }

  async cutPower(): Promise<void> {
    await this.#site.powerCut();
    await this.#site.start();
  }

  async close(): Promise<void> {
    await this.#site.close();
  }
}
