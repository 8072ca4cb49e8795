import type { ProbeVerdict } from '../probes/pod-probes.ts';
import type { RuntimeContainer, RuntimePod } from '../runtime/container-runtime.ts';
import { isSidecar, type Pod, type PodContainer } from './pod.ts';
import {
  apiTime,
  statusOf,
  type ContainerState,
  type ContainerStatus,
  type PodStatus,
  type TerminatedState,
  type VolumeMountStatus,
  type Waiting,
} from './pod-status-types.ts';
import { restartsAfter } from './restart-policy.ts';

/** What the statuses of containers are made from. */
export interface ContainerStatusInput {
  readonly pod: Pod;
  readonly runtime: RuntimePod | undefined;
  /** The status before: what it says of the past is kept. */
  readonly previous: PodStatus | undefined;
  /** Name of the runtime: the scheme of `containerID`. */
  readonly runtimeName: string;
  readonly verdict: (container: string, containerId: string) => ProbeVerdict;
  /** Why containers do not start, by name: from the plan. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** What containers left as their last words, by id; none: undefined. */
  readonly messages: ReadonlyMap<string, string>;
}

/** Source: kubelet, ContainerReasonStatusUnknown. */
const STATUS_UNKNOWN = 'ContainerStatusUnknown';
/** As if it had been killed: the kubelet says so of what it cannot find. */
const UNKNOWN_EXIT_CODE = 137;
/** Last words of all containers of a pod together, bytes. Source: kubelet, MaxPodTerminationMessageLogLength. */
const MOST_MESSAGE_BYTES = 12 * 1024;

/** Statuses of the containers, by name as the API has them. Source: kubelet, convertToAPIContainerStatuses. */
export function containerStatuses(input: ContainerStatusInput): readonly ContainerStatus[] {
  const statuses = input.pod.spec.containers.map((container) => statusOfContainer(input, container, false));
  return statuses.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Statuses of the init containers, in their order; a sidecar's is as that of a container. */
export function initContainerStatuses(input: ContainerStatusInput): readonly ContainerStatus[] {
  return (input.pod.spec.initContainers ?? []).map((container) => statusOfContainer(input, container, true));
}

/** How a container ended that nobody has seen ending. */
export function endedUnseen(message: string): TerminatedState {
  return { exitCode: UNKNOWN_EXIT_CODE, reason: STATUS_UNKNOWN, message };
}

function statusOfContainer(
  input: ContainerStatusInput,
  container: PodContainer,
  isInitializer: boolean,
): ContainerStatus {
  const before = statusOf(input.previous, container.name);
  const [present, last] = input.runtime?.containers.filter(({ name }) => name === container.name) ?? [];
  const status =
    present === undefined
      ? statusOfAbsent(input, container, before, isInitializer)
      : statusOfPresent(input, container, before, present, last, isInitializer);
  return withWaiting(input, container, status);
}

function statusOfPresent(
  input: ContainerStatusInput,
  container: PodContainer,
  before: ContainerStatus | undefined,
  present: RuntimeContainer,
  last: RuntimeContainer | undefined,
  isInitializer: boolean,
): ContainerStatus {
  const { verdict, runtimeName } = input;
  const containerID = idOf(input, present);
  const state = stateOf(input, present, before);
  const isRunning = present.state === 'running';
  const isPlain = isInitializer && !isSidecar(container);
  const probed = isRunning && !isPlain ? verdict(container.name, present.id) : undefined;
  const started = isRunning && (probed?.started ?? true);
  return {
    ...bareStatus(container),
    state,
    lastState: lastStateOf(input, before, containerID, last),
    ready: isPlain ? state.terminated?.exitCode === 0 : started && probed?.ready === true,
    started,
    restartCount: Math.max(present.attempt, before?.restartCount ?? 0),
    image: present.image,
    imageID: present.imageId,
    containerID: `${runtimeName}://${present.id}`,
    ...(container.resources?.requests !== undefined && { allocatedResources: container.resources.requests }),
    resources: container.resources ?? {},
  };
}

/** What has ended before counts: from the runtime, or, where that has collected it, from the status before. */
function lastStateOf(
  input: ContainerStatusInput,
  before: ContainerStatus | undefined,
  containerID: string,
  last: RuntimeContainer | undefined,
): ContainerState {
  const known = before?.containerID === containerID ? before.lastState : undefined;
  if (known?.terminated !== undefined) return known;
  if (last?.state === 'exited') return { terminated: terminatedOf(input, last, before) };
  if (before === undefined || before.containerID === containerID) return known ?? {};
  if (before.state.terminated !== undefined) return { terminated: before.state.terminated };
  return before.lastState;
}

/** Of a container that the runtime does not have: not made yet, collected, or lost. */
function statusOfAbsent(
  { pod, runtime }: ContainerStatusInput,
  container: PodContainer,
  before: ContainerStatus | undefined,
  isInitializer: boolean,
): ContainerStatus {
  if (before?.state.terminated !== undefined)
    return { ...before, ready: isReadyEnd(before, isInitializer, container), started: false };
  const fresh: ContainerStatus = {
    ...bareStatus(container),
    state: { waiting: { reason: defaultReason(pod) } },
    lastState: before?.lastState ?? {},
    ready: false,
    started: false,
    restartCount: before?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
  };
  if (isInitializer && !isSidecar(container) && wasInitialized(pod, runtime)) return collected(fresh);
  if (before?.state.running === undefined)
    return before?.containerID === undefined ? fresh : { ...fresh, containerID: before.containerID };
  if (isInitializer && !isSidecar(container)) return fresh;
  if (!restartsAfter(pod, container, UNKNOWN_EXIT_CODE)) {
    const terminated = endedUnseen('The container could not be located when the pod was terminated');
    return { ...before, state: { terminated }, ready: false, started: false };
  }
  const message =
    'The container could not be located when the pod was deleted.  The container used to be Running';
  const isDeleted = pod.metadata.deletionTimestamp !== undefined;
  return {
    ...fresh,
    lastState: { terminated: endedUnseen(message) },
    restartCount: fresh.restartCount + (isDeleted ? 0 : 1),
  };
}

/** An init container whose remains were collected: it was done, or the containers had not been made. */
function collected(fresh: ContainerStatus): ContainerStatus {
  const message =
    'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally';
  return { ...fresh, state: { terminated: { exitCode: 0, reason: 'Completed', message } }, ready: true };
}

function isReadyEnd(before: ContainerStatus, isInitializer: boolean, container: PodContainer): boolean {
  return isInitializer && !isSidecar(container) && before.state.terminated?.exitCode === 0;
}

function wasInitialized(pod: Pod, runtime: RuntimePod | undefined): boolean {
  const names = new Set(pod.spec.containers.map(({ name }) => name));
  return runtime?.containers.some(({ name }) => names.has(name)) === true;
}

/** A container that does not start is waiting; how it ended goes to its last state. */
function withWaiting(
  { waiting }: ContainerStatusInput,
  { name }: PodContainer,
  status: ContainerStatus,
): ContainerStatus {
  const reason = waiting.get(name);
  if (reason === undefined || status.state.running !== undefined) return status;
  const { terminated } = status.state;
  return {
    ...status,
    state: { waiting: reason },
    ...(terminated !== undefined && { lastState: { terminated } }),
    ready: false,
  };
}

function stateOf(
  input: ContainerStatusInput,
  present: RuntimeContainer,
  before: ContainerStatus | undefined,
): ContainerState {
  switch (present.state) {
    case 'created':
      return { waiting: { reason: defaultReason(input.pod) } };
    case 'running':
      return { running: { startedAt: apiTime(present.startedAtMs ?? present.createdAtMs) } };
    case 'exited':
      return { terminated: terminatedOf(input, present, before) };
    case 'unknown': {
      const wasThere = before?.containerID === idOf(input, present) && before.state.waiting === undefined;
      if (!wasThere) return { waiting: { reason: defaultReason(input.pod) } };
      return {
        terminated: endedUnseen('The container could not be located when the pod was terminated'),
      };
    }
  }
}

/** What was said of an end is not said otherwise later: its last words may have been removed since. */
function terminatedOf(
  input: ContainerStatusInput,
  container: RuntimeContainer,
  before: ContainerStatus | undefined,
): TerminatedState {
  const containerID = idOf(input, container);
  const known = [before?.state.terminated, before?.lastState.terminated].find(
    (terminated) => terminated?.containerID === containerID,
  );
  if (known !== undefined) return known;
  const { exitCode = 0, reason, message = '', startedAtMs, finishedAtMs } = container;
  const words = [message, input.messages.get(container.id) ?? ''].filter((text) => text !== '').join(': ');
  return {
    exitCode,
    reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
    ...(words !== '' && { message: shortened(words, input.pod) }),
    ...(startedAtMs !== undefined && { startedAt: apiTime(startedAtMs) }),
    ...(finishedAtMs !== undefined && { finishedAt: apiTime(finishedAtMs) }),
    containerID,
  };
}

/** Source: kubelet, normalizeStatus. */
function shortened(words: string, { spec }: Pod): string {
  const most = Math.floor(MOST_MESSAGE_BYTES / (spec.containers.length + (spec.initContainers?.length ?? 0)));
  const bytes = Buffer.from(words, 'utf8');
  // Never half a character.
  return bytes.length <= most
    ? words
    : bytes
        .subarray(0, most)
        .toString('utf8')
        .replace(/\uFFFD$/, '');
}

function idOf({ runtimeName }: ContainerStatusInput, { id }: RuntimeContainer): string {
  return `${runtimeName}://${id}`;
}

/** Source: kubelet, ContainerCreating and PodInitializing. */
function defaultReason({ spec }: Pod): string {
  return (spec.initContainers?.length ?? 0) > 0 ? 'PodInitializing' : 'ContainerCreating';
}

/** What is so of a container in every state. */
function bareStatus({ name, volumeMounts }: PodContainer): Pick<ContainerStatus, 'name' | 'volumeMounts'> {
  if (volumeMounts === undefined || volumeMounts.length === 0) return { name };
  return {
    name,
    volumeMounts: volumeMounts.map(
      ({ name: volume, mountPath, readOnly, recursiveReadOnly }): VolumeMountStatus => ({
        name: volume,
        mountPath,
        ...(readOnly === true && {
          readOnly,
          recursiveReadOnly: recursiveReadOnly === 'Enabled' ? ('Enabled' as const) : ('Disabled' as const),
        }),
      }),
    ),
  };
}
