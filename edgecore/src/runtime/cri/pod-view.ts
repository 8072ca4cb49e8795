import {
  ContainerState,
  type Container as ContainerItem,
  type ContainerStatus as ContainerStatusMessage,
} from '../../cri/container-messages.ts';
import {
  PodSandboxState,
  type PodSandbox as SandboxItem,
  type PodSandboxNetworkStatus,
} from '../../cri/sandbox-messages.ts';
import type { Decoded } from '../../cri/wire.ts';
import type {
  ContainerEnd,
  RuntimeContainer,
  RuntimeContainerState,
  RuntimePod,
  RuntimeSandbox,
} from '../container-runtime.ts';
import { ANNOTATIONS, LABELS, notesOf } from './labels.ts';

export type CriSandbox = Decoded<typeof SandboxItem.fields>;
export type CriContainer = Decoded<typeof ContainerItem.fields>;
export type CriContainerStatus = Decoded<typeof ContainerStatusMessage.fields>;

const NANOS_PER_MS = 1e6;

/** The addresses of a sandbox, the first one first. */
export function addressesOf(
  network: Decoded<typeof PodSandboxNetworkStatus.fields> | undefined,
): readonly string[] {
  if (network === undefined || network.ip === '') return [];
  return [network.ip, ...network.additionalIps.map(({ ip }) => ip).filter((ip) => ip !== '')];
}

/** State of a container in our words. A number of a newer release is `unknown`. */
export function stateOf(state: number): RuntimeContainerState {
  if (state === ContainerState.CONTAINER_CREATED) return 'created';
  if (state === ContainerState.CONTAINER_RUNNING) return 'running';
  return state === ContainerState.CONTAINER_EXITED ? 'exited' : 'unknown';
}

/** Puts together what a runtime lists. @param ips of the sandbox, where they are known */
export function sandboxView(item: CriSandbox, ips: readonly string[]): RuntimeSandbox {
  const ready = item.state === PodSandboxState.SANDBOX_READY;
  const attempt = item.metadata?.attempt ?? 0;
  return { id: item.id, attempt, ready, createdAtMs: toMs(item.createdAt), ips: ready ? ips : [] };
}

/**
 * One container from the runtime's list and, where it has been asked, its status. The status is the later one of the
 * two, so that its state counts.
 * @param ended that it has ended, by an event
 */
export function containerView(
  item: CriContainer,
  status: CriContainerStatus | undefined,
  ended?: ContainerEnd,
): RuntimeContainer {
  const state = stateOf(status?.state ?? item.state);
  const image = item.annotations[ANNOTATIONS.image] ?? status?.image?.image ?? item.image?.image ?? '';
  return {
    name: item.metadata?.name ?? '',
    id: item.id,
    sandboxId: item.podSandboxId,
    attempt: item.metadata?.attempt ?? 0,
    image,
    imageId: status === undefined || status.imageRef === '' ? item.imageRef : status.imageRef,
    state,
    createdAtMs: toMs(item.createdAt),
    ...(status !== undefined && status.startedAt > 0 ? { startedAtMs: toMs(status.startedAt) } : {}),
    ...(status !== undefined && state === 'exited' ? endOf(status) : {}),
    ...((state === 'running' || state === 'exited') && ended !== undefined && { ended }),
    logPath: status?.logPath ?? '',
    notes: notesOf(item.annotations),
  };
}

function endOf(status: CriContainerStatus): Partial<RuntimeContainer> {
  return {
    exitCode: status.exitCode,
    // A runtime takes note of a start a little after it, which may be after the end of what ended at once.
    ...(status.finishedAt > 0 ? { finishedAtMs: toMs(Math.max(status.finishedAt, status.startedAt)) } : {}),
    ...(status.reason === '' ? {} : { reason: status.reason }),
    ...(status.message === '' ? {} : { message: status.message }),
  };
}

/** Pods of what a runtime lists: sandboxes by UID, the latest first; containers of them, the latest of a name first. */
export function podViews(
  sandboxes: readonly CriSandbox[],
  containers: readonly CriContainer[],
  sandboxOf: (item: CriSandbox) => RuntimeSandbox,
  containerOf: (item: CriContainer) => RuntimeContainer | undefined,
): RuntimePod[] {
  const pods = new Map<
    string,
    { item: CriSandbox; sandboxes: RuntimeSandbox[]; containers: RuntimeContainer[] }
  >();
  for (const item of sandboxes) {
    const uid = item.metadata?.uid ?? '';
    const pod = pods.get(uid);
    if (pod === undefined) pods.set(uid, { item, sandboxes: [sandboxOf(item)], containers: [] });
    else pod.sandboxes.push(sandboxOf(item));
  }
  for (const item of containers) {
    const view = containerOf(item);
    // One whose sandbox was removed between the two lists is about to be removed, too.
    if (view !== undefined) pods.get(item.labels[LABELS.podUid] ?? '')?.containers.push(view);
  }
  return [...pods].map(([uid, { item, ...rest }]) => ({
    uid,
    namespace: item.metadata?.namespace ?? '',
    name: item.metadata?.name ?? '',
    sandboxes: rest.sandboxes.sort(latestFirst),
    containers: rest.containers.sort(latestFirst),
  }));
}

function latestFirst(
  a: { readonly attempt: number; readonly createdAtMs: number },
  b: { readonly attempt: number; readonly createdAtMs: number },
): number {
  return b.attempt - a.attempt || b.createdAtMs - a.createdAtMs;
}

function toMs(nanos: number): number {
  return Math.floor(nanos / NANOS_PER_MS);
}
