import type { RuntimeContainer, RuntimePod } from '../runtime/pod-runtime.ts';
import { isSidecar, type Pod, type PodContainer } from './pod.ts';
import { latest } from './pod-actions.ts';
import { qosClass } from './qos-class.ts';

/** `PodStatus` as the API has it, as far as an edge fills it in. Source: core/v1 PodStatus. */
export interface PodStatus {
  readonly phase: PodPhase;
  readonly observedGeneration?: number;
  readonly conditions: readonly PodCondition[];
  readonly hostIP?: string;
  readonly hostIPs?: readonly { readonly ip: string }[];
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly startTime: string;
  readonly containerStatuses: readonly ContainerStatus[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly qosClass: string;
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** Source: core/v1 PodCondition. */
export interface PodCondition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** Source: core/v1 ContainerStatus. */
export interface ContainerStatus {
  readonly name: string;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly image: string;
  readonly imageID: string;
  readonly containerID?: string;
}

/** Source: core/v1 ContainerState. At most one of them. */
export interface ContainerState {
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason: string;
    readonly message?: string;
    readonly startedAt: string;
    readonly finishedAt: string;
    readonly containerID: string;
  };
}

/** What a status is made from. */
export interface PodStatusInput {
  readonly pod: Pod;
  readonly runtime: RuntimePod | undefined;
  /** The status before: what it says of the past is kept. */
  readonly previous: PodStatus | undefined;
  /** Whether the pod is to end, and nothing of it runs any more. */
  readonly isTerminal: boolean;
  /** Addresses of the node, first one first. */
  readonly hostIps: readonly string[];
  /** Wall time, milliseconds. */
  readonly nowMs: number;
}

/** A moment as the API writes it: RFC 3339, whole seconds. */
export function apiTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/**
 * The status of a pod, as a kubelet would report it. A function of its arguments alone; two calls with nothing new in
 * between give equal answers. Source: kubelet, generateAPIPodStatus and getPhase.
 */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, runtime, previous, hostIps, nowMs } = input;
  const initializers = pod.spec.initContainers ?? [];
  const before = new Map(
    [...(previous?.containerStatuses ?? []), ...(previous?.initContainerStatuses ?? [])].map(
      (status) => [status.name, status] as const,
    ),
  );
  const waitingFor = isInitialized(pod, runtime) ? 'ContainerCreating' : 'PodInitializing';
  const statusOf = (container: PodContainer, reason: string): ContainerStatus =>
    containerStatus(container, latest(runtime, container.name), before.get(container.name), reason);
  const containerStatuses = pod.spec.containers.map((container) => statusOf(container, waitingFor));
  const initContainerStatuses = initializers.map((container) => statusOf(container, 'PodInitializing'));
  const phase = phaseOf(input, containerStatuses, initContainerStatuses);
  const ips = pod.spec.hostNetwork === true ? hostIps : (runtime?.sandbox.ips ?? []);
  const { generation } = pod.metadata;
  return {
    phase,
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions: conditionsOf(input, phase, containerStatuses),
    ...addresses('hostIP', 'hostIPs', hostIps),
    ...addresses('podIP', 'podIPs', ips),
    startTime: previous?.startTime ?? apiTime(nowMs),
    containerStatuses,
    ...(initContainerStatuses.length > 0 && { initContainerStatuses }),
    qosClass: qosClass(pod),
  };
}

function addresses(one: string, all: string, ips: readonly string[]): object {
  return ips.length === 0 ? {} : { [one]: ips[0], [all]: ips.map((ip) => ({ ip })) };
}

function containerStatus(
  container: PodContainer,
  state: RuntimeContainer | undefined,
  before: ContainerStatus | undefined,
  waitingFor: string,
): ContainerStatus {
  if (state === undefined) {
    // What has ended, and was forgotten by the runtime since, stays as it was.
    if (before?.state.terminated !== undefined) return { ...before, ready: false, started: false };
    return {
      name: container.name,
      state: { waiting: { reason: waitingFor } },
      lastState: before?.lastState ?? {},
      ready: false,
      started: false,
      restartCount: before?.restartCount ?? 0,
      image: container.image ?? '',
      imageID: '',
    };
  }
  const running = state.state === 'running';
  const isSameAttempt = before?.containerID === state.id;
  const completed = state.state === 'exited' && state.exitCode === 0;
  return {
    name: container.name,
    state: stateOf(state, waitingFor),
    lastState: isSameAttempt
      ? before.lastState
      : before?.state.terminated
        ? before.state
        : (before?.lastState ?? {}),
    ready: running || (completed && waitingFor === 'PodInitializing' && !isSidecar(container)),
    started: running,
    restartCount: state.attempt,
    image: state.image,
    imageID: state.imageId,
    containerID: state.id,
  };
}

function stateOf(state: RuntimeContainer, waitingFor: string): ContainerState {
  switch (state.state) {
    case 'created':
      return { waiting: { reason: waitingFor } };
    case 'running':
      return { running: { startedAt: apiTime(state.startedAtMs ?? 0) } };
    case 'exited': {
      const exitCode = state.exitCode ?? 0;
      return {
        terminated: {
          exitCode,
          reason: state.reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
          ...(state.message !== undefined && { message: state.message }),
          startedAt: apiTime(state.startedAtMs ?? 0),
          finishedAt: apiTime(state.finishedAtMs ?? 0),
          containerID: state.id,
        },
      };
    }
  }
}

function isInitialized(pod: Pod, runtime: RuntimePod | undefined): boolean {
  return (pod.spec.initContainers ?? []).every((container) => {
    const state = latest(runtime, container.name);
    return isSidecar(container) ? state?.state === 'running' : state?.exitCode === 0;
  });
}

/** Source: kubelet, getPhase. */
function phaseOf(
  { pod, runtime, isTerminal }: PodStatusInput,
  containers: readonly ContainerStatus[],
  initializers: readonly ContainerStatus[],
): PodPhase {
  const policy = pod.spec.restartPolicy ?? 'Always';
  const terminated = containers.filter(({ state }) => state.terminated !== undefined);
  const failed = terminated.some(({ state }) => state.terminated?.exitCode !== 0);
  if (isTerminal) return terminated.length === containers.length && !failed ? 'Succeeded' : 'Failed';
  const initFailed = initializers.some(({ state }) => (state.terminated?.exitCode ?? 0) !== 0);
  if (initFailed && policy === 'Never') return 'Failed';
  const wasStarted = containers.some(({ state }) => state.waiting === undefined);
  if (!isInitialized(pod, runtime) && !wasStarted) return 'Pending';
  if (containers.some(({ state }) => state.running !== undefined)) return 'Running';
  if (
    containers.some(
      ({ state, lastState }) => state.waiting !== undefined && lastState.terminated === undefined,
    )
  ) {
    return 'Pending';
  }
  if (policy === 'Always' || terminated.length < containers.length) return 'Running';
  if (!failed) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

/** Source: kubelet, status/generate.go: the conditions that a kubelet owns, in its order. */
function conditionsOf(
  { pod, runtime, previous, nowMs }: PodStatusInput,
  phase: PodPhase,
  containers: readonly ContainerStatus[],
): readonly PodCondition[] {
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name);
  const uninitialized = (pod.spec.initContainers ?? [])
    .filter(
      (container) => !isInitialized({ ...pod, spec: { ...pod.spec, initContainers: [container] } }, runtime),
    )
    .map(({ name }) => name);
  const ready = readiness(phase, unready);
  const initialized: Verdict =
    phase === 'Succeeded'
      ? { ok: true, reason: 'PodCompleted' }
      : uninitialized.length === 0 || (isOver && runtime === undefined)
        ? { ok: true }
        : {
            ok: false,
            reason: 'ContainersNotInitialized',
            message: `containers with incomplete status: [${uninitialized.join(' ')}]`,
          };
  const verdicts: readonly (readonly [string, Verdict])[] = [
    ['PodReadyToStartContainers', { ok: runtime?.sandbox.ready === true }],
    ['Initialized', initialized],
    ['Ready', ready],
    ['ContainersReady', ready],
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

interface Verdict {
  readonly ok: boolean;
  readonly reason?: string;
  readonly message?: string;
}

function readiness(phase: PodPhase, unready: readonly string[]): Verdict {
  if (phase === 'Succeeded') return { ok: false, reason: 'PodCompleted' };
  if (phase === 'Failed') return { ok: false, reason: 'PodFailed' };
  if (unready.length === 0) return { ok: true };
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { ok: false, reason: 'ContainersNotReady', message };
}
