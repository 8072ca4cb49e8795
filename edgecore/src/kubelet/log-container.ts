import type { ContainerState, ContainerStatus, PodStatus } from '../pods/pod-status-types.ts';

/**
 * Which container's log is meant by a name: the present one, or the latest that ran where none does; with `previous`
 * the one before. Source: kubelet, validateContainerLogStatus: the same choices, the same words.
 * @param podName for messages
 * @returns its id, as the runtime has it
 * @throws Error with what to tell whoever asked (400)
 */
export function containerIdForLogs(
  podName: string,
  status: PodStatus | undefined,
  name: string,
  previous: boolean,
): string {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const found = all.find((container) => container.name === name);
  const what = `container "${name}" in pod "${podName}"`;
  if (found === undefined) throw new Error(`${what} is not available`);
  const last = idOf(found.lastState.terminated?.containerID);
  if (previous) {
    if (last === '') throw new Error(`previous terminated ${what} not found`);
    return last;
  }
  return presentId(found, last, what);
}

function presentId(container: ContainerStatus, last: string, what: string): string {
  const { state, lastState } = container;
  if (state.running !== undefined) return idOf(container.containerID);
  if (state.terminated !== undefined || lastState.terminated !== undefined) {
    // A container that could not be started has ended without having run: the log is that of the one before it.
    const id = idOf(state.terminated?.containerID) || last;
    if (id === '') throw new Error(`${what} is terminated`);
    return id;
  }
  throw new Error(waitingText(state, what));
}

function waitingText({ waiting }: ContainerState, what: string): string {
  if (waiting === undefined) return `${what} is waiting to start - no logs yet`;
  switch (waiting.reason) {
    case 'ErrImagePull':
      return `${what} is waiting to start: image can't be pulled`;
    case 'ImagePullBackOff':
      return `${what} is waiting to start: trying and failing to pull image`;
    default:
      return `${what} is waiting to start: ${waiting.reason}`;
  }
}

/** Statuses have `<runtime>://<id>`. */
function idOf(containerId: string | undefined): string {
  return containerId?.replace(/^[^:]*:\/\//, '') ?? '';
}
