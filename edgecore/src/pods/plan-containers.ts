import type { ContainerEnd, RuntimeContainer } from '../runtime/container-runtime.ts';
import { hasSucceeded } from './container-history.ts';
import type { PlanDraft } from './plan-draft.ts';
import type { PodContainer } from './pod.ts';
import { mayRestart, restartsAfter } from './restart-policy.ts';

/**
 * Sees to the containers of an initialized pod. None that runs, and none that will → the pod is to end, its sidecars
 * too. Source: kubelet, computePodActions.
 */
export function planContainers(draft: PlanDraft): void {
  const stays = draft.input.pod.spec.containers.map((container) => keepRunning(container, draft));
  if (!stays.includes(true)) draft.endPod({});
}

/** Answers whether it runs, or will. */
function keepRunning(container: PodContainer, draft: PlanDraft): boolean {
  const { pod, runtime, previous } = draft.input;
  const present = draft.present(container.name);
  if (present === undefined) {
    // In a sandbox before this one, or in a life that the runtime does not know of.
    const isDone = hasSucceeded(runtime, previous, container.name) && !restartsAfter(pod, container, 0);
    if (!isDone) draft.start(container);
    return !isDone;
  }
  if (present.state === 'running' && present.ended !== undefined) {
    if (mayFollow(container, present, present.ended, draft)) draft.start(container);
    return true; // what else follows from its end does so when its state says it
  }
  if (present.state !== 'running')
    return draft.restart(container, present, restartsAfter(pod, container, present.exitCode ?? 0));
  return keepAlive(container, present, draft);
}

/**
 * Whether the next one may be started as soon as the end is told of. Not where processes may outlive the first one: in a
 * PID namespace that it does not have for itself.
 */
function mayFollow(
  container: PodContainer,
  { id }: RuntimeContainer,
  { exitCode }: ContainerEnd,
  { input: { pod, verdict } }: PlanDraft,
): boolean {
  const { hostPID, shareProcessNamespace } = pod.spec;
  const hasOwnProcesses = hostPID !== true && shareProcessNamespace !== true;
  // One that its probe condemns is said to be killed first.
  const isCondemned = verdict(container.name, id).kill !== undefined;
  return hasOwnProcesses && !isCondemned && restartsAfter(pod, container, exitCode);
}

function keepAlive(container: PodContainer, present: RuntimeContainer, draft: PlanDraft): boolean {
  const { pod, verdict, specHash } = draft.input;
  if (present.notes.specHash !== specHash(container)) {
    draft.kill(present, `Container ${container.name} definition changed, will be restarted`);
    // At once, and whatever its policy: it did not end by itself.
    draft.start(container, true);
    return true;
  }
  const { kill } = verdict(container.name, present.id);
  if (kill === undefined) return true;
  const willRestart = mayRestart(pod);
  draft.kill(present, willRestart ? `${kill.message}, will be restarted` : kill.message, kill.graceSeconds);
  return willRestart;
}
