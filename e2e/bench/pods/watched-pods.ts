import { objectInformer, resourceListerWatcher, RESOURCES, type Informer } from '@hawser/kube';
import { kubeConfigClient, loadKubeConfig } from '@hawser/kube/kubeconfig';
import { within } from '@hawser/seams/testing';
import type { PodsSite, SeenPod } from '../../src/pods-site/pods-site.ts';

/** Longer than anything here takes. */
const DEADLINE_MS = 120_000;

/**
 * The pods of a site as a watch tells of them: what is measured shares the machine with who measures, and lists of all
 * pods every few milliseconds would be a part of what they cost.
 */
export class WatchedPods {
  readonly #client: ReturnType<typeof kubeConfigClient>;
  readonly #informer: Informer;
  readonly #waiting = new Set<() => void>();

  private constructor(site: PodsSite) {
    this.#client = kubeConfigClient(loadKubeConfig({ path: site.cluster.kubeconfig }));
    const listerWatcher = resourceListerWatcher(this.#client, RESOURCES.pods, {});
    this.#informer = objectInformer({ name: 'pods', listerWatcher });
    this.#informer.addHandler(() => {
      for (const look of this.#waiting) look();
    });
  }

  static async open(site: PodsSite): Promise<WatchedPods> {
    const pods = new WatchedPods(site);
    pods.#informer.start();
    await pods.#informer.waitForSync();
    return pods;
  }

  async close(): Promise<void> {
    await this.#informer.stop();
    this.#client.close();
  }

  /** Waits until so many pods are in phase Running. */
  async untilRunning(count: number): Promise<void> {
    await this.#until(`${count} pods run`, () => {
      const running = this.#all().filter(({ status }) => status?.phase === 'Running');
      return running.length >= count ? running : undefined;
    });
  }

  /** Waits until a pod is in phase Running; answers it. */
  untilRuns(name: string): Promise<SeenPod> {
    return this.#until(`${name} runs`, () =>
      this.#all().find((pod) => pod.metadata.name === name && pod.status?.phase === 'Running'),
    );
  }

  #all(): readonly SeenPod[] {
    return this.#informer.lister.list().map(({ value }) => value as SeenPod);
  }

  #until<T>(what: string, find: () => T | undefined): Promise<T> {
    let look = (): void => {};
    const found = new Promise<T>((resolve) => {
      look = () => {
        const present = find();
        if (present !== undefined) resolve(present);
      };
    });
    this.#waiting.add(look);
    look();
    return within(what, found, DEADLINE_MS).finally(() => this.#waiting.delete(look));
  }
}
