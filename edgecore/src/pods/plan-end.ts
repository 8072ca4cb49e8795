import type { RuntimePod } from '../runtime/container-runtime.ts';
import { isAlive } from './plan-sandbox.ts';
import { isSidecar, type Pod } from './pod.ts';
import type { KillContainer, PodAction } from './plan-types.ts';

/** What is to be done about a pod that shall end. */
export interface EndPlan {
  /** To be carried out in order; then the runtime is asked again. */
  readonly actions: readonly PodAction[];
  /** Nothing of it runs any more. */
  readonly stopped: boolean;
  /** What there was to do in the runtime is done. */
  readonly done: boolean;
}

/**
 * What to do so that nothing of a pod runs, and where it is to be removed, so that nothing of it is left in the
 * runtime. A function of its arguments alone. In order:
 * 1. its containers are killed, all side by side; a sidecar after all that are not, and after those that come after it
 *    (KEP-753);
 * 2. its sandboxes are stopped;
 * 3. `remove` → containers and sandboxes are removed. Otherwise what is dead stays for its logs.
 * @param pod undefined: nobody knows it any more
 * @param graceSeconds for each of its containers
 */
export function planEnd(
  pod: Pod | undefined,
  runtime: RuntimePod | undefined,
  graceSeconds: number,
  remove: boolean,
): EndPlan {
  if (runtime === undefined) return { actions: [], stopped: true, done: true };
  const kills = killsOf(pod, runtime, graceSeconds);
  if (kills.length > 0) return { actions: kills, stopped: false, done: false };
  const stops = runtime.sandboxes
    .filter(({ ready }) => ready)
    .map(({ id }): PodAction => ({ do: 'stop-sandbox', id }));
  if (!remove) return { actions: stops, stopped: true, done: stops.length === 0 };
  const containers = runtime.containers.map(({ id, name }): PodAction => ({
    do: 'remove-container',
    id,
    name,
  }));
  // One that does not say that it is ready may have a network all the same.
  const sandboxes = runtime.sandboxes.flatMap(({ id, ready }): PodAction[] => [
    ...(ready ? [] : [{ do: 'stop-sandbox', id } as const]),
    { do: 'remove-sandbox', id },
  ]);
  return { actions: [...stops, ...containers, ...sandboxes], stopped: true, done: false };
}

function killsOf(pod: Pod | undefined, runtime: RuntimePod, graceSeconds: number): readonly KillContainer[] {
  const alive = runtime.containers.filter(isAlive);
  const sidecars = (pod?.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const others = alive.filter(({ name }) => !sidecars.includes(name)).map(({ name }) => name);
  return alive.map(({ id, name }) => {
    const position = sidecars.indexOf(name);
    const after = position === -1 ? [] : [...others, ...sidecars.slice(position + 1)];
    return {
      do: 'kill-container',
      id,
      name,
      message: `Stopping container ${name}`,
      graceSeconds,
      ...(after.length > 0 && { after }),
    };
  });
}
