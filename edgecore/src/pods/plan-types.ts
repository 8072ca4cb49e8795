import type { ProbeVerdict } from '../probes/pod-probes.ts';
import type { RuntimePod } from '../runtime/container-runtime.ts';
import type { Pod, PodContainer } from './pod.ts';
import type { PodStatus, Waiting } from './pod-status-types.ts';
import type { RestartWaits } from './restart-delays.ts';

/** One step towards what a pod is to be. Computed by `planRun` and `planEnd`, carried out by `PodOperator`. */
export type PodAction =
  | { readonly do: 'create-sandbox'; readonly attempt: number }
  | { readonly do: 'stop-sandbox'; readonly id: string }
  | { readonly do: 'remove-sandbox'; readonly id: string }
  | StartContainer
  | KillContainer
  | { readonly do: 'remove-container'; readonly id: string; readonly name: string };

/** Makes the next attempt of a container, in the latest sandbox, and starts it. */
export interface StartContainer {
  readonly do: 'start-container';
  readonly name: string;
  readonly attempt: number;
  /** Set where it ran before: when that ended, wall milliseconds. */
  readonly finishedAtMs?: number;
}

/** Ends a container, its `preStop` first. */
export interface KillContainer {
  readonly do: 'kill-container';
  readonly id: string;
  readonly name: string;
  /** What its event says. */
  readonly message: string;
  /** Overrides the grace of the pod. */
  readonly graceSeconds?: number;
  /** Names of those that have to have ended before it is asked to. What is killed is killed side by side otherwise. */
  readonly after?: readonly string[];
}

/** What is to be done about a pod that shall run. */
export interface PodPlan {
  /** To be carried out in order; then the runtime is asked again. */
  readonly actions: readonly PodAction[];
  /** Containers that cannot start yet, by name, and why: for the status. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** When to look again even if nothing happens, wall milliseconds. */
  readonly lookAgainAtMs?: number;
  /** Set: the pod is to end, what is left of it too; `actions` are none then. */
  readonly over?: PodEnd;
}

/** Why a pod is to end by itself. */
export interface PodEnd {
  /** Set: it has failed whatever its containers say, with this reason and message in its status. */
  readonly failure?: { readonly reason: string; readonly message: string };
}

/** A container that could not be started. */
export interface StartFailure extends Waiting {
  /** Of its spec then: a changed one is tried at once. */
  readonly hash: string;
  /** Wall milliseconds. */
  readonly retryAtMs: number;
}

/** What a plan is made from. */
export interface PlanInput {
  readonly pod: Pod;
  readonly runtime: RuntimePod | undefined;
  /** The last status: what the runtime has lost is still in there. */
  readonly previous: PodStatus | undefined;
  readonly verdict: (container: string, containerId: string) => ProbeVerdict;
  readonly specHash: (container: PodContainer) => string;
  /** By name. */
  readonly failures: ReadonlyMap<string, StartFailure>;
  readonly delays: RestartWaits;
  /** Whether a sandbox without an address is of no use, unless it is on the host's network. */
  readonly needsAddress: boolean;
  /** Wall milliseconds. */
  readonly nowMs: number;
}
