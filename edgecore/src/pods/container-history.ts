import type { RuntimeContainer, RuntimePod } from '../runtime/container-runtime.ts';
import type { Pod } from './pod.ts';
import { statusOf, type PodStatus } from './pod-status-types.ts';

/** The latest attempt of a container, in whatever sandbox. */
export function latest(runtime: RuntimePod | undefined, name: string): RuntimeContainer | undefined {
  return runtime?.containers.find((container) => container.name === name);
}

/**
 * The number that a container gets when it is made: one more than any before it, in the runtime or, where the runtime
 * has lost them, in the last status. What was made and never started does not count.
 * @param all the containers of its name, latest first
 */
export function nextAttempt(
  all: readonly RuntimeContainer[],
  previous: PodStatus | undefined,
  name: string,
): number {
  const before = statusOf(previous, name);
  const counted = before?.restartCount ?? 0;
  const [present] = all;
  if (present === undefined) return before?.containerID === undefined ? counted : counted + 1;
  return Math.max(present.state === 'created' ? present.attempt : present.attempt + 1, counted);
}

/** Whether a container has ended well, in an earlier sandbox or in a life that the runtime has forgotten. */
export function hasSucceeded(
  runtime: RuntimePod | undefined,
  previous: PodStatus | undefined,
  name: string,
): boolean {
  const present = latest(runtime, name);
  if (present !== undefined) return present.state === 'exited' && present.exitCode === 0;
  return statusOf(previous, name)?.state.terminated?.exitCode === 0;
}

/** Whether any container of a pod, but for sidecars, has ever been made; the last status counts. */
export function hasBegun(
  pod: Pod,
  runtime: RuntimePod | undefined,
  previous: PodStatus | undefined,
): boolean {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some(({ name }) => {
    if (latest(runtime, name) !== undefined) return true;
    const before = statusOf(previous, name);
    return (
      before !== undefined && (before.containerID !== undefined || before.lastState.terminated !== undefined)
    );
  });
}
