import { PlanDraft } from './plan-draft.ts';
import { planContainers } from './plan-containers.ts';
import { planInitializers } from './plan-initializers.ts';
import { planSandbox } from './plan-sandbox.ts';
import type { PlanInput, PodAction, PodPlan } from './plan-types.ts';

const STARTS: ReadonlySet<PodAction['do']> = new Set(['create-sandbox', 'start-container']);
/** Source: kubelet, active_deadline.go. */
const DEADLINE = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
} as const;

/**
 * What to do so that a pod runs as its spec says. A function of its arguments alone. In order:
 * 1. its deadline has passed → it is to end;
 * 2. no sandbox that can be used → what runs in old ones is ended, and there is a new attempt;
 * 3. init containers, one after the other; a sidecar has to have started before the next one starts (KEP-753);
 * 4. then the containers, all at once: what has exited is started again as its policy says, after its back-off; what
 *    its probes or another spec condemn is killed.
 * Nothing runs and nothing shall → the pod is to end. Source: kubelet, computePodActions.
 */
export function planRun(input: PlanInput): PodPlan {
  const draft = new PlanDraft(input);
  const deadlineMs = deadlineOf(input);
  if (deadlineMs !== undefined && deadlineMs <= input.nowMs) draft.endPod({ failure: DEADLINE });
  else {
    if (deadlineMs !== undefined) draft.lookAgain(deadlineMs);
    if (planSandbox(input, draft) && planInitializers(draft)) planContainers(draft);
  }
  return draft.plan();
}

/** Whether it makes and starts things, and ends none: what ends is said at once. */
export function startsOnly({ actions }: PodPlan): boolean {
  return actions.length > 0 && actions.every((action) => STARTS.has(action.do));
}

function deadlineOf({ pod, previous }: PlanInput): number | undefined {
  const seconds = pod.spec.activeDeadlineSeconds;
  if (seconds === undefined || previous === undefined) return undefined;
  return Date.parse(previous.startTime) + seconds * 1000;
}
