import { isSidecar, type Pod, type PodContainer } from '../pods/pod.ts';
import {
  isOver,
  type ContainerState,
  type ContainerStatus,
  type PodStatus,
} from '../pods/pod-status-types.ts';
import type { PodRow } from './admin-types.ts';

/** A pod as a list shows it. */
export function podRow(pod: Pod, status: PodStatus | undefined): PodRow {
  const { namespace, name, uid, creationTimestamp } = pod.metadata;
  const shown = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  const statuses = new Map(
    [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map((one) => [
      one.name,
      one,
    ]),
  );
  const count = (of: (one: ContainerStatus) => number): number =>
    shown.reduce((sum, container) => {
      const one = statuses.get(container.name);
      return sum + (one === undefined ? 0 : of(one));
    }, 0);
  const ip = status?.podIP;
  return {
    ...{ namespace, name, uid },
    phase: status?.phase ?? 'Pending',
    state: podState(pod, status),
    ready: count((one) => (one.ready ? 1 : 0)),
    containers: shown.length,
    restarts: count((one) => one.restartCount),
    ...(creationTimestamp !== undefined && { createdAt: creationTimestamp }),
    ...(status?.startTime !== undefined && { startedAt: status.startTime }),
    ...(ip !== undefined && { ip }),
    images: shown.map(({ image }) => image ?? ''),
  };
}

/**
 * How a pod is, in one word: what `kubectl get pods` has under STATUS.
 * Source: kubectl, printers/internalversion printPod.
 */
export function podState(pod: Pod, status: PodStatus | undefined): string {
  const phase = status?.phase ?? 'Pending';
  if (pod.metadata.deletionTimestamp !== undefined && !isOver(phase)) return 'Terminating';
  if (status === undefined) return phase;
  return initState(pod.spec.initContainers ?? [], status) ?? containersState(status);
}

/** What an init container is at; undefined: all are done. */
function initState(
  initializers: readonly PodContainer[],
  { initContainerStatuses = [] }: PodStatus,
): string | undefined {
  for (const [index, container] of initializers.entries()) {
    const one = initContainerStatuses.find(({ name }) => name === container.name);
    const { terminated, waiting } = one?.state ?? {};
    if (terminated?.exitCode === 0 || (isSidecar(container) && one?.started === true)) continue;
    if (terminated !== undefined) return `Init:${terminatedState(terminated)}`;
    if (waiting !== undefined && waiting.reason !== '' && waiting.reason !== 'PodInitializing') {
      return `Init:${waiting.reason}`;
    }
    return `Init:${index}/${initializers.length}`;
  }
  return undefined;
}

/** The first container that does not run says how the pod is. */
function containersState({ phase, reason, containerStatuses, conditions }: PodStatus): string {
  const told = containerStatuses.map(({ state }) => stateWord(state)).find((word) => word !== undefined);
  const isRunning = containerStatuses.some(({ ready, state }) => ready && state.running !== undefined);
  if (told === 'Completed' && isRunning) {
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
      ? 'Running'
      : 'NotReady';
  }
  return told ?? (reason !== undefined && reason !== '' ? reason : phase);
}

function stateWord({ waiting, terminated }: ContainerState): string | undefined {
  if (waiting !== undefined && waiting.reason !== '') return waiting.reason;
  return terminated === undefined ? undefined : terminatedState(terminated);
}

function terminatedState({ reason, exitCode }: NonNullable<ContainerState['terminated']>): string {
  return reason === '' ? `ExitCode:${exitCode}` : reason;
}
