import { isSidecar, type Pod } from './pod.ts';
import { hasAnyStarted } from './pod-phase.ts';
import {
  apiTime,
  type ContainerStatus,
  type PodCondition,
  type PodPhase,
  type PodStatus,
} from './pod-status-types.ts';

/** What conditions are computed from. */
export interface ConditionInput {
  readonly pod: Pod;
  readonly phase: PodPhase;
  readonly containers: readonly ContainerStatus[];
  readonly initializers: readonly ContainerStatus[];
  /** Whether containers can be started in its sandbox. */
  readonly hasSandbox: boolean;
  /** The status before: a condition that has not changed keeps its time. */
  readonly previous: PodStatus | undefined;
  readonly nowMs: number;
}

interface Verdict {
  readonly ok: boolean;
  readonly reason?: string;
  readonly message?: string;
}

/** The conditions that a kubelet owns, in its order. Source: kubelet, status/generate.go. */
export function podConditions(input: ConditionInput): readonly PodCondition[] {
  const { pod, previous, nowMs } = input;
  const containersReady = readinessOf(input);
  const verdicts: readonly (readonly [string, Verdict])[] = [
    ['PodReadyToStartContainers', { ok: input.hasSandbox }],
    ['Initialized', initializationOf(input)],
    ['Ready', containersReady.ok ? gatesOf(pod) : containersReady],
    ['ContainersReady', containersReady],
    ['PodScheduled', { ok: true }],
  ];
  const { generation } = pod.metadata;
  return verdicts.map(([type, { ok, reason, message }]) => {
    const status = ok ? ('True' as const) : ('False' as const);
    const before = previous?.conditions.find((condition) => condition.type === type);
    return {
      type,
      status,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : apiTime(nowMs),
      ...(generation !== undefined && { observedGeneration: generation }),
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
    };
  });
}

function readinessOf({ pod, phase, containers, initializers }: ConditionInput): Verdict {
  if (phase === 'Succeeded') return { ok: false, reason: 'PodCompleted' };
  if (phase === 'Failed') return { ok: false, reason: 'PodFailed' };
  const sidecars = initializers.filter((_, index) => isSidecarAt(pod, index));
  const ready = new Map([...sidecars, ...containers].map((status) => [status.name, status.ready]));
  const inOrder = [...sidecars, ...pod.spec.containers].map(({ name }) => name);
  const unready = inOrder.filter((name) => ready.get(name) !== true);
  if (unready.length === 0) return { ok: true };
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { ok: false, reason: 'ContainersNotReady', message };
}

/**
 * Conditions that others set are in the cloud, and are not sent to edges: here each of them is missing, as it is in a
 * kubelet before anybody has set it.
 */
function gatesOf({ spec }: Pod): Verdict {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return { ok: true };
  const message = gates
    .map(
      ({ conditionType }) =>
        `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
    )
    .join(', ');
  return { ok: false, reason: 'ReadinessGatesNotReady', message };
}

function initializationOf({ pod, phase, containers, initializers }: ConditionInput): Verdict {
  if (phase === 'Succeeded') return { ok: true, reason: 'PodCompleted' };
  // Sidecars that start again do not undo it.
  if (hasAnyStarted(containers)) return { ok: true };
  const incomplete = initializers
    .filter(({ started, ready }, index) => (isSidecarAt(pod, index) ? !started : !ready))
    .map(({ name }) => name);
  if (incomplete.length === 0) return { ok: true };
  const message = `containers with incomplete status: [${incomplete.join(' ')}]`;
  return { ok: false, reason: 'ContainersNotInitialized', message };
}

function isSidecarAt({ spec }: Pod, index: number): boolean {
  const container = spec.initContainers?.[index];
  return container !== undefined && isSidecar(container);
}
