import {
  objectInformer,
  resourceListerWatcher,
  RESOURCES,
  type HttpApiClient,
  type Informer,
} from '@hawser/kube';
import { kubeConfigClient, loadKubeConfig } from '@hawser/kube/kubeconfig';
import type { SeenPod } from '../../../src/pods-site/pods-site.ts';

/** How long a history may be. More is a test that asks for too much. */
const MOST_STATES = 50_000;

/** What an API server has said of its pods, each state of each: what somebody sees who watches them. */
export class PodWatch {
  readonly #client: HttpApiClient;
  readonly #informer: Informer;
  readonly #states: SeenPod[] = [];

  private constructor(client: HttpApiClient) {
    this.#client = client;
    const listerWatcher = resourceListerWatcher(client, RESOURCES.pods);
    this.#informer = objectInformer({ name: 'pods', listerWatcher });
    this.#informer.addHandler((_, current) => {
      if (current !== undefined && this.#states.length < MOST_STATES)
        this.#states.push(current.value as SeenPod);
    });
  }

  /** Begins to watch; resolves once it has seen what is there. */
  static async open(kubeconfig: string): Promise<PodWatch> {
    const watch = new PodWatch(kubeConfigClient(loadKubeConfig({ path: kubeconfig })));
    watch.#informer.start();
    await watch.#informer.waitForSync();
    return watch;
  }

  /** A moment, for {@link since}. */
  get now(): number {
    return this.#states.length;
  }

  /** States of a pod since a moment, in their order. @throws Error where more has happened than was kept */
  since(moment: number, name: string): readonly SeenPod[] {
    if (this.#states.length >= MOST_STATES) throw new Error('more has happened than is kept');
    return this.#states.slice(moment).filter(({ metadata }) => metadata.name === name);
  }

  async close(): Promise<void> {
    await this.#informer.stop();
    this.#client.close();
  }
}
