import type { KubeObject } from '@hawser/kube';
import type { ContentKey } from '@hawser/sync';

/** A node that starts has its pods at once, 110 by default. */
const MAX_PODS = 128;

/**
 * The pods that passed by last, whole: what is written to a pod is written soon after it came or changed, and need not
 * be read before. Who writes on top of one names its resourceVersion, so that an older one does no harm. Bounded; the
 * rest of the cache keeps no whole objects.
 */
export class RecentPods {
  /** The latest one last. */
  readonly #pods = new Map<ContentKey, KubeObject>();

  get(key: ContentKey): KubeObject | undefined {
    return this.#pods.get(key);
  }

  note(key: ContentKey, pod: KubeObject): void {
    this.#pods.delete(key);
    this.#pods.set(key, pod);
    if (this.#pods.size <= MAX_PODS) return;
    const [oldest] = this.#pods.keys();
    if (oldest !== undefined) this.#pods.delete(oldest);
  }

  forget(key: ContentKey): void {
    this.#pods.delete(key);
  }
}
