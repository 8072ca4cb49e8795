import type { Pod } from '../pods/pod.ts';
import type { ApiCaller } from './cloud-access-types.ts';

/** The pods of this node, as far as callers go by them. */
export class PodsOfNode {
  readonly #pods: () => readonly Pod[];

  /** `pods`: all that are there now, those that end too. */
  constructor(pods: () => readonly Pod[]) {
    this.#pods = pods;
  }

  /** UIDs of pods of this name: one that ends may be there beside its successor. */
  uids(namespace: string, name: string): readonly string[] {
    return this.#pods()
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
      .map(({ metadata }) => metadata.uid);
  }

  /**
   * Whether the hub speaks for this caller to the API server: for a service account that a pod of this node runs as, and
   * if the token is bound to a pod, to that one.
   */
  runAs({ account }: ApiCaller): boolean {
    if (account === undefined) return false;
    const { namespace, name, pod } = account;
    return this.#pods().some(({ metadata, spec }) => {
      const { serviceAccountName = 'default' } = spec;
      if (metadata.namespace !== namespace || serviceAccountName !== name) return false;
      return pod === undefined || metadata.uid === pod.uid;
    });
  }
}
