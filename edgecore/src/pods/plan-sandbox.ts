import type { RuntimeContainer, RuntimePod, RuntimeSandbox } from '../runtime/container-runtime.ts';
import { hasBegun, hasSucceeded } from './container-history.ts';
import type { PlanDraft } from './plan-draft.ts';
import type { PlanInput } from './plan-types.ts';
import { mayRestart, restartsAfter } from './restart-policy.ts';

const SANDBOX_MS = { base: 1_000, cap: 10_000 } as const;

/**
 * Sees to the sandbox; answers whether it is there and can be used. One that is not ready any more, that has lost its
 * address, or that is not the only ready one gives way to the next attempt: what runs in it is ended first. No new
 * attempt for a pod that would not start anything in it. Source: kubelet, PodSandboxChanged and computePodActions.
 */
export function planSandbox(input: PlanInput, draft: PlanDraft): boolean {
  const { runtime, pod, previous } = input;
  const [latest] = runtime?.sandboxes ?? [];
  if (runtime !== undefined && latest !== undefined && isUsable(input, runtime)) {
    killStrays(runtime, latest, input, draft);
    removeEmptied(runtime, latest, draft);
    return true;
  }
  if ((!mayRestart(pod) && hasBegun(pod, runtime, previous)) || hasNothingToStart(input)) {
    draft.endPod({});
    return false;
  }
  for (const container of runtime?.containers ?? []) {
    if (isAlive(container)) draft.kill(container, `Stopping container ${container.name}`);
  }
  for (const { id, ready } of runtime?.sandboxes ?? []) if (ready) draft.sandbox({ do: 'stop-sandbox', id });
  const waitsUntilMs = latest === undefined ? 0 : nextSandboxMs(latest);
  if (waitsUntilMs > input.nowMs && latest !== undefined && latest.createdAtMs <= input.nowMs)
    draft.lookAgain(waitsUntilMs);
  else draft.sandbox({ do: 'create-sandbox', attempt: latest === undefined ? 0 : latest.attempt + 1 });
  return false;
}

/**
 * When there may be another sandbox after this one, wall milliseconds. One that dies young, or gets no address, must
 * not be followed by the next without a pause: the second time a second after it was made, then twice as much, at most
 * {@link SANDBOX_MS}.cap.
 */
function nextSandboxMs({ attempt, createdAtMs }: RuntimeSandbox): number {
  return attempt === 0 ? 0 : createdAtMs + Math.min(SANDBOX_MS.cap, SANDBOX_MS.base * 2 ** (attempt - 1));
}

/** Whether containers can be started in the latest sandbox of a pod. */
export function isUsable(
  { pod, needsAddress }: Pick<PlanInput, 'pod' | 'needsAddress'>,
  runtime: RuntimePod | undefined,
): boolean {
  const [latest, ...others] = runtime?.sandboxes ?? [];
  if (latest?.ready !== true || others.some(({ ready }) => ready)) return false;
  return !needsAddress || pod.spec.hostNetwork === true || latest.ips.length > 0;
}

/** Whether something of it may run, so far as its state says. */
export function isAlive({ state }: RuntimeContainer): boolean {
  return state === 'running' || state === 'unknown';
}

/** All containers have ended well, and are not started again for that. */
function hasNothingToStart({ pod, runtime, previous }: PlanInput): boolean {
  return pod.spec.containers.every(
    (container) => hasSucceeded(runtime, previous, container.name) && !restartsAfter(pod, container, 0),
  );
}

/** What runs in an older sandbox, beside a later one of its name, or under a name that the pod does not have. */
function killStrays(
  runtime: RuntimePod,
  sandbox: RuntimeSandbox,
  { pod }: PlanInput,
  draft: PlanDraft,
): void {
  const names = new Set([...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name));
  for (const container of runtime.containers) {
    if (!isAlive(container) || container.ended !== undefined) continue;
    const isLatest = draft.present(container.name) === container;
    if (container.sandboxId !== sandbox.id || !isLatest || !names.has(container.name))
      draft.kill(container, `Stopping container ${container.name}`);
  }
}

/** Old sandboxes go when the last of their containers has been collected. Source: kubelet, kuberuntime_gc.go. */
function removeEmptied(runtime: RuntimePod, sandbox: RuntimeSandbox, draft: PlanDraft): void {
  for (const { id } of runtime.sandboxes) {
    const isEmpty = !runtime.containers.some(({ sandboxId }) => sandboxId === id);
    if (id !== sandbox.id && isEmpty) draft.sandbox({ do: 'remove-sandbox', id });
  }
}
