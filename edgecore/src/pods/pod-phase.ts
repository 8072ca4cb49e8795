import { isSidecar, type Pod, type PodContainer } from './pod.ts';
import type { ContainerStatus, PodPhase } from './pod-status-types.ts';
import { restartsAfter } from './restart-policy.ts';

/** How many containers are in which state. */
interface Counts {
  running: number;
  waiting: number;
  stopped: number;
  /** Of the stopped ones: those that are not started again. */
  final: number;
  succeeded: number;
}

/** What a phase is computed from, beside the pod. */
export interface PhaseInput {
  readonly containers: readonly ContainerStatus[];
  readonly initializers: readonly ContainerStatus[];
  /** Nothing of it runs any more, and nothing shall. */
  readonly isTerminal: boolean;
  /** A container has started in the present sandbox: sidecars that start again do not put the pod back. */
  readonly hasStarted: boolean;
}

/** The phase of a pod. Source: kubelet, getPhase. */
export function podPhase(pod: Pod, input: PhaseInput): PodPhase {
  const { containers, initializers, isTerminal, hasStarted } = input;
  const initialization = initializationOf(pod, initializers);
  if (initialization === 'failed') return 'Failed';
  const counts: Counts = { running: 0, waiting: 0, stopped: 0, final: 0, succeeded: 0 };
  const sidecarsStart = countSidecars(pod, initializers, counts);
  const byName = new Map(containers.map((status) => [status.name, status]));
  for (const container of pod.spec.containers) count(pod, container, byName.get(container.name), counts);
  if (initialization === 'pending' || (sidecarsStart && !hasStarted)) return 'Pending';
  if (counts.waiting > 0) return 'Pending';
  if (counts.running > 0) return 'Running';
  if (counts.stopped === 0) return 'Pending';
  if (!isTerminal && counts.final < counts.stopped) return 'Running';
  return counts.succeeded === counts.stopped ? 'Succeeded' : 'Failed';
}

/** Whether any container has ever started. Source: kubelet, HasAnyRegularContainerStarted. */
export function hasAnyStarted(containers: readonly ContainerStatus[]): boolean {
  return containers.some(
    ({ state, lastState }) =>
      state.running !== undefined || state.terminated !== undefined || lastState.terminated !== undefined,
  );
}

function initializationOf(pod: Pod, initializers: readonly ContainerStatus[]): 'pending' | 'failed' | 'done' {
  let isPending = false;
  for (const [index, container] of (pod.spec.initContainers ?? []).entries()) {
    const status = initializers[index];
    if (isSidecar(container) || status === undefined) continue;
    const { terminated } =
      status.state.waiting === undefined ? status.state : { terminated: status.lastState.terminated };
    if (terminated === undefined) isPending = true;
    else if (terminated.exitCode !== 0 && !restartsAfter(pod, container, terminated.exitCode))
      return 'failed';
  }
  return isPending ? 'pending' : 'done';
}

/** Answers whether one of them has yet to start. */
function countSidecars(pod: Pod, initializers: readonly ContainerStatus[], counts: Counts): boolean {
  let isPending = false;
  for (const [index, container] of (pod.spec.initContainers ?? []).entries()) {
    const status = initializers[index];
    if (!isSidecar(container) || status === undefined) continue;
    if (status.state.running !== undefined) {
      counts.running += 1;
      isPending ||= !status.started;
    } else if (status.state.waiting !== undefined && status.lastState.terminated === undefined) {
      counts.waiting += 1;
      isPending = true;
    }
  }
  return isPending;
}

function count(pod: Pod, container: PodContainer, status: ContainerStatus | undefined, counts: Counts): void {
  const state = status?.state;
  const ended = state?.waiting === undefined ? state?.terminated : status?.lastState.terminated;
  if (state?.running !== undefined) counts.running += 1;
  else if (ended === undefined) counts.waiting += 1;
  else {
    counts.stopped += 1;
    if (state?.terminated?.exitCode === 0) counts.succeeded += 1;
    if (!restartsAfter(pod, container, ended.exitCode)) counts.final += 1;
  }
}
