import type { RuntimePod } from '../runtime/container-runtime.ts';
import type { Pod } from '../pods/pod.ts';

/** What the probes of one container say. */
export interface ProbeVerdict {
  /** Its startup probe has passed, or it has none. */
  readonly started: boolean;
  /** Its readiness probe passes, or it has none and has started. */
  readonly ready: boolean;
  /** Its liveness or startup probe has failed as often as it may: it is to be killed. */
  readonly kill?: {
    readonly message: string;
    /** Overrides the pod's. */
    readonly graceSeconds?: number;
  };
}

/** Asks containers whether they are alive and ready, each as its spec says. */
export interface PodProbes {
  /** Begins, goes on with and ends the probes of a pod's running containers. Level-triggered. */
  update(pod: Pod, runtime: RuntimePod | undefined): void;
  /** The verdict on a container, by its id in the runtime. Not probed yet: not ready, not started where it has a startup probe. */
  verdict(pod: Pod, container: string, containerId: string): ProbeVerdict;
  /** Ends all probes of a pod. Readiness goes with them. */
  remove(uid: string): void;
  /** Calls with the UID of a pod that has another verdict than before. Answers how to stop listening. */
  listen(listener: (uid: string) => void): () => void;
  stop(): Promise<void>;
}
