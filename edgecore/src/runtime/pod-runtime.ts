import type { Pod } from '../pods/pod.ts';

/** State of one container, as the runtime says. */
export type RuntimeContainerState = 'created' | 'running' | 'exited';

/** One container of a pod in the runtime: the latest attempt of it. */
export interface RuntimeContainer {
  /** Its name in the pod's spec. */
  readonly name: string;
  /** `<runtime>://<id>` in the API. */
  readonly id: string;
  /** 0 for the first one of that name in the pod, one more with each restart. */
  readonly attempt: number;
  readonly image: string;
  /** Digest or reference of the image that it really runs. */
  readonly imageId: string;
  readonly state: RuntimeContainerState;
  /** Milliseconds since the epoch. */
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  /** Set once it has exited. */
  readonly exitCode?: number;
  /** As in the API: `Completed`, `Error`, `OOMKilled`. */
  readonly reason?: string;
  readonly message?: string;
}

/** A pod as the runtime has it. */
export interface RuntimePod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly sandbox: {
    readonly id: string;
    readonly ready: boolean;
    readonly createdAtMs: number;
    /** Addresses, first one first; none for pods on the host's network. */
    readonly ips: readonly string[];
  };
  readonly containers: readonly RuntimeContainer[];
}

/** One step towards what a pod is to be. Computed by `podActions`, carried out by a {@link PodRuntime}. */
export type PodAction =
  | { readonly do: 'create-sandbox' }
  | { readonly do: 'start-container'; readonly container: string; readonly attempt: number }
  | { readonly do: 'kill-container'; readonly container: string; readonly graceSeconds: number };

/**
 * What runs pods. The truth about what runs is in here and nowhere else: workers ask again before they decide, so an
 * event that was missed costs time, and nothing else. Every implementation passes `describePodRuntime` of
 * `@hawser/edgecore/testing`.
 */
export interface PodRuntime {
  /** `null`, `containerd`; the scheme of container ids. */
  readonly name: string;
  /** As `nodeInfo.containerRuntimeVersion` has it: `containerd://1.6.20`. */
  readonly version: string;
  /** Whether pods really run in it; if not, the node says so. */
  readonly real: boolean;

  /** Connects, and learns what runs already. Idempotent. */
  start(): Promise<void>;
  /** Lets go of the runtime; pods go on where they can. Idempotent. */
  stop(): Promise<void>;
  /** Every pod that it has. */
  list(): Promise<readonly RuntimePod[]>;
  /** One pod, undefined where it has none of that UID. */
  get(uid: string): Promise<RuntimePod | undefined>;
  /**
   * Carries out one action; resolves when it is done. Repeating one that is done already does no harm.
   * @throws what the runtime says; `signal.reason`
   */
  perform(pod: Pod, action: PodAction, signal: AbortSignal): Promise<void>;
  /** Ends what still runs of a pod, and forgets it. Nothing there: nothing to do. Errors as {@link perform}. */
  remove(uid: string, signal: AbortSignal): Promise<void>;
  /** Calls with the UID of a pod that may have changed. Answers how to stop listening. */
  listen(listener: (uid: string) => void): () => void;
}
