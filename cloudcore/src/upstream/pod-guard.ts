import { ResourceClient, RESOURCES, StatusError, type ApiClient, type KubeObject } from '@hawser/kube';
import type { ClusterView, PodFacts } from '../cache/cluster-view.ts';
import { Refusal } from './outcome.ts';
import { callOptions, type Origin } from './upstream-task.ts';

/** Which pod a message is about. */
export interface PodReference {
  readonly namespace: string;
  readonly name: string;
  /** Absent: whichever has the name. */
  readonly uid?: string | undefined;
}

/** A Pod, as far as the hub reads it. */
export interface Pod extends KubeObject {
  readonly spec?: PodSpec;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** Parts of a PodSpec. */
export interface PodSpec {
  readonly nodeName?: string;
  readonly serviceAccountName?: string;
  readonly volumes?: readonly {
    readonly projected?: { readonly sources?: readonly ProjectedSource[] };
  }[];
  readonly [field: string]: unknown;
}

/** A source of a projected volume. */
export interface ProjectedSource {
  readonly serviceAccountToken?: { readonly audience?: string; readonly expirationSeconds?: number };
}

/**
 * Decides whether a pod is a node's business: it is bound to it, and is the very one (uid). The cache says yes
 * without a call; it may lag behind, so a no is only said by the API server.
 */
export class PodGuard {
  readonly #pods: ResourceClient<Pod>;
  readonly #view: ClusterView;

  constructor(client: ApiClient, view: ClusterView) {
    this.#pods = new ResourceClient<Pod>(client, RESOURCES.pods);
    this.#view = view;
  }

  /**
   * The facts of a pod that is bound to the node.
   * @throws Refusal 403 not-yours, 404 gone; StatusError, ClientError of the API
   */
  async facts(origin: Origin, reference: PodReference): Promise<PodFacts> {
    const cached = this.#view.pod(reference.namespace, reference.name);
    const { uid = cached?.uid } = reference;
    if (cached?.nodeName === origin.node && cached.uid === uid) return cached;
    const { metadata, spec } = await this.live(origin, reference);
    return {
      uid: metadata.uid ?? '',
      nodeName: spec?.nodeName ?? '',
      deleting: metadata.deletionTimestamp !== undefined,
      serviceAccountName: spec?.serviceAccountName ?? '',
    };
  }

  /**
   * The pod as it is now, if it is bound to the node. Errors as {@link facts}. That another pod has its name by now is
   * no trespass: pods of a StatefulSet move.
   */
  async live(origin: Origin, reference: PodReference): Promise<Pod> {
    const { namespace, name, uid } = reference;
    const pod = await this.#get(origin, reference);
    if (pod === undefined || (uid !== undefined && pod.metadata.uid !== uid)) {
      throw new Refusal(404, 'gone', `pod ${namespace}/${name} (${uid ?? 'any'}) is not there`);
    }
    if (pod.spec?.nodeName !== origin.node) {
      throw new Refusal(403, 'not-yours', `pod ${namespace}/${name} is not bound to ${origin.node}`);
    }
    return pod;
  }

  /** The pod as it passed by last, if that was not long ago, and it is the one meant and bound to the node. */
  recent(origin: Origin, { namespace, name, uid }: PodReference): Pod | undefined {
    const pod: Pod | undefined = this.#view.recentPod(namespace, name);
    return pod?.metadata.uid === uid && pod?.spec?.nodeName === origin.node ? pod : undefined;
  }

  async #get(origin: Origin, { namespace, name }: PodReference): Promise<Pod | undefined> {
    try {
      return await this.#pods.get(namespace, name, callOptions(origin));
    } catch (error) {
      if (error instanceof StatusError && error.status.code === 404) return undefined;
      throw error;
    }
  }
}
