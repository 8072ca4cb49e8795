import { isUsable } from './plan-sandbox.ts';
import {
  containerStatuses,
  endedUnseen,
  initContainerStatuses,
  type ContainerStatusInput,
} from './container-statuses.ts';
import { isSidecar, type Pod } from './pod.ts';
import { podConditions } from './pod-conditions.ts';
import { hasAnyStarted, podPhase } from './pod-phase.ts';
import type { PodEnd } from './plan-types.ts';
import { apiTime, isOver, type ContainerStatus, type PodPhase, type PodStatus } from './pod-status-types.ts';
import { qosClass } from './qos-class.ts';

/** What a status is made from. */
export interface PodStatusInput extends ContainerStatusInput {
  /** Whether a sandbox without an address is of no use, unless it is on the host's network. */
  readonly needsAddress: boolean;
  /** Set: the pod ends, or has ended; nothing of it is started any more. */
  readonly end:
    | (PodEnd & {
        /** Nothing of it runs any more. */
        readonly isStopped: boolean;
      })
    | undefined;
  /** Addresses of the node, first one first. */
  readonly hostIps: readonly string[];
  /** Wall time, milliseconds. */
  readonly nowMs: number;
}

/**
 * The status of a pod, as a kubelet would report it. A function of its arguments alone; two calls with nothing new in
 * between give equal answers. A phase that is the last one comes when nothing runs any more, and never goes again.
 * Source: kubelet, generateAPIPodStatus, mergePodStatus and TerminatePod.
 */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, runtime, previous, end, hostIps, nowMs } = input;
  const containers = containerStatuses(input);
  const initializers = initContainerStatuses(input);
  const computed = podPhase(pod, {
    containers,
    initializers,
    isTerminal: end?.isStopped === true,
    hasStarted: hasStartedIn(input),
  });
  const phase = end?.failure !== undefined ? 'Failed' : computed;
  const stays = isOver(previous?.phase);
  const reported = stays ? (previous?.phase ?? phase) : lastingPhase(input, phase);
  const isTerminal = end?.isStopped === true && !stays;
  const because = stays ? previous : isOver(reported) ? end?.failure : undefined;
  const { generation } = pod.metadata;
  return {
    phase: reported,
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions: podConditions({
      pod,
      phase: isOver(reported) ? reported : phase,
      containers,
      initializers,
      // What has ended gives its sandbox back next.
      hasSandbox: end?.isStopped !== true && isUsable(input, runtime),
      previous,
      nowMs,
    }),
    ...(because?.reason !== undefined && { reason: because.reason }),
    ...(because?.message !== undefined && { message: because.message }),
    ...addresses('hostIP', 'hostIPs', hostIps),
    ...addresses('podIP', 'podIPs', podIps(input)),
    startTime: previous?.startTime ?? apiTime(nowMs),
    containerStatuses: isTerminal
      ? ended(containers, wasInitialized(pod, containers, initializers))
      : containers,
    ...(initializers.length > 0 && {
      initContainerStatuses: isTerminal ? endedInitializers(initializers) : initializers,
    }),
    qosClass: qosClass(pod),
  };
}

/** A pod that ends is what it was until nothing of it runs; one that has ended is one or the other. */
function lastingPhase({ previous, end }: PodStatusInput, phase: PodPhase): PodPhase {
  if (end?.isStopped === true) return phase === 'Succeeded' ? phase : 'Failed';
  return isOver(phase) ? (previous?.phase ?? 'Pending') : phase;
}

/** A container has been made in the sandbox of now. */
function hasStartedIn({ pod, runtime }: PodStatusInput): boolean {
  const sandboxId = runtime?.sandboxes[0]?.id;
  const names = new Set(pod.spec.containers.map(({ name }) => name));
  return (
    runtime?.containers.some(
      (one) => one.sandboxId === sandboxId && one.state !== 'created' && names.has(one.name),
    ) === true
  );
}

/** A pod that has ended still shows the address that it had. */
function podIps({ pod, runtime, previous, hostIps }: PodStatusInput): readonly string[] {
  const before = previous?.podIPs?.map(({ ip }) => ip) ?? [];
  if (pod.spec.hostNetwork === true) return before.length > 0 ? before : hostIps;
  const [latest] = runtime?.sandboxes ?? [];
  if (latest?.ready === true) return latest.ips;
  return latest !== undefined || isOver(previous?.phase) ? before : [];
}

function addresses(one: string, all: string, ips: readonly string[]): object {
  return ips.length === 0 ? {} : { [one]: ips[0], [all]: ips.map((ip) => ({ ip })) };
}

/** Whether a container of it may have run. Source: kubelet, hasPodInitialized. */
function wasInitialized(
  { spec }: Pod,
  containers: readonly ContainerStatus[],
  initializers: readonly ContainerStatus[],
): boolean {
  const last = initializers.at(-1);
  const container = spec.initContainers?.at(-1);
  if (last === undefined || container === undefined || hasAnyStarted(containers)) return true;
  if (isSidecar(container)) return last.started;
  return [last.state, last.lastState].some(({ terminated }) => terminated?.exitCode === 0);
}

/** What was to run and never did has not ended well. Source: kubelet, TerminatePod. */
function ended(statuses: readonly ContainerStatus[], all: boolean): readonly ContainerStatus[] {
  if (!all) return statuses;
  return statuses.map((status) => {
    if (status.state.terminated !== undefined) return status;
    const terminated = endedUnseen('The container could not be located when the pod was terminated');
    return { ...status, state: { terminated }, ready: false, started: false };
  });
}

/** But for those after the last one that was begun. Source: kubelet, initializedContainers. */
function endedInitializers(statuses: readonly ContainerStatus[]): readonly ContainerStatus[] {
  const lastBegun = statuses.findLastIndex(
    ({ state, lastState }) => state.waiting === undefined || lastState.terminated !== undefined,
  );
  const begun = Math.max(lastBegun, 0) + 1;
  return [...ended(statuses.slice(0, begun), true), ...statuses.slice(begun)];
}
