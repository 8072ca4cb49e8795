import type { RuntimeContainer, RuntimePod } from '../runtime/container-runtime.ts';

/** Dead containers that stay for each name in a pod. Source: kubelet, `--maximum-dead-containers-per-container`. */
const KEPT = 1;

/** What is of no use any more. */
export interface Dead {
  readonly containers: readonly RuntimeContainer[];
  /** Ids. */
  readonly sandboxes: readonly string[];
}

/**
 * Finds what may be removed from pods that are here: of each container all that have ended but the latest one (its end
 * is in the status, its log is that of `kubectl logs --previous`), and sandboxes that have ended, have no containers,
 * and are not the latest of their pod. What belongs to pods that are gone is removed with them, by their workers.
 * Source: kubelet, kuberuntime_gc.go.
 * @param pods as `ContainerRuntime.list` has them
 */
export function deadOf(pods: readonly RuntimePod[]): Dead {
  return {
    containers: pods.flatMap(({ containers }) => containers.filter((one) => isSurplus(one, containers))),
    sandboxes: pods.flatMap(({ sandboxes, containers }) =>
      sandboxes
        .slice(1) // the latest comes first
        .filter(({ id, ready }) => !ready && !containers.some(({ sandboxId }) => sandboxId === id))
        .map(({ id }) => id),
    ),
  };
}

function isSurplus(container: RuntimeContainer, all: readonly RuntimeContainer[]): boolean {
  if (container.state !== 'exited') return false;
  const later = all.filter(
    ({ name, state, attempt, createdAtMs }) =>
      name === container.name &&
      state === 'exited' &&
      (attempt > container.attempt || (attempt === container.attempt && createdAtMs > container.createdAtMs)),
  );
  return later.length >= KEPT;
}
