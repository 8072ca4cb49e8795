import { decodeAnswer } from './cri-client.ts';
import {
  ContainerCreate,
  ContainerDelete,
  Envelope,
  SubscribeRequest,
  TaskDelete,
  TaskExit,
  TaskOOM,
  TaskStart,
} from './containerd-messages.ts';
import type { GrpcClient } from './grpc-client.ts';

/** containerd's own service, on the same socket as CRI. */
export const CONTAINERD_EVENTS_PATH = '/containerd.services.events.v1.Events/Subscribe';

/** The namespace of containerd that its CRI plug-in works in. */
const NAMESPACE = 'k8s.io';

const NANOS_PER_MS = 1e6;

/** What containerd tells of a container, or of a sandbox, which is one too; or that it has other images than before. */
export type ContainerdEvent =
  | {
      readonly kind: 'created' | 'started' | 'oom' | 'task-deleted' | 'deleted';
      readonly containerId: string;
    }
  | {
      readonly kind: 'exited';
      readonly containerId: string;
      readonly exitCode: number;
      /** Milliseconds since the epoch; undefined: it does not say. */
      readonly exitedAtMs: number | undefined;
    }
  | { readonly kind: 'images' };

const READERS: Readonly<Record<string, (data: Uint8Array) => ContainerdEvent | undefined>> = {
  '/containers/create': (data) => ({ kind: 'created', containerId: ContainerCreate.decode(data).id }),
  '/containers/delete': (data) => ({ kind: 'deleted', containerId: ContainerDelete.decode(data).id }),
  '/tasks/start': (data) => ({ kind: 'started', containerId: TaskStart.decode(data).containerId }),
  '/tasks/oom': (data) => ({ kind: 'oom', containerId: TaskOOM.decode(data).containerId }),
  '/tasks/delete': (data) => ({ kind: 'task-deleted', containerId: TaskDelete.decode(data).containerId }),
  '/images/create': () => ({ kind: 'images' }),
  '/images/update': () => ({ kind: 'images' }),
  '/images/delete': () => ({ kind: 'images' }),
  '/tasks/exit': (data) => {
    const { containerId, id, exitStatus: exitCode, exitedAt } = TaskExit.decode(data);
    // Each process of exec tells of its end, too: that of a probe is nobody's news.
    if (id !== containerId) return undefined;
    // Rounded as CRI's own times are: they are compared.
    const exitedAtMs = exitedAt && exitedAt.seconds * 1000 + Math.floor(exitedAt.nanos / NANOS_PER_MS);
    return { kind: 'exited', containerId, exitCode, exitedAtMs };
  },
};

/** Reads one event of containerd's stream; undefined: nothing for us. @throws RuntimeError where it cannot be read */
export function readContainerdEvent(data: Uint8Array): ContainerdEvent | undefined {
  const { namespace, topic, event } = decodeAnswer(Envelope, data, 'Subscribe');
  const read = READERS[topic];
  if (namespace !== NAMESPACE || read === undefined || event === undefined) return undefined;
  return read(event.value);
}

/**
 * Listens to containerd's events. Nothing is told from before; the header that would say that it listens comes with
 * the first event only (grpc-go sends it late), so look again a little after the start.
 * Rejects as `GrpcClient.stream`; a runtime that is not containerd answers status 12.
 */
export async function* containerdEvents(
  client: GrpcClient,
  signal: AbortSignal,
): AsyncGenerator<ContainerdEvent> {
  const filters = Object.keys(READERS).map((topic) => `namespace=="${NAMESPACE}",topic=="${topic}"`);
  const options = { signal, metadata: { 'containerd-namespace': NAMESPACE } };
  const request = SubscribeRequest.encode({ filters });
  for await (const data of client.stream(CONTAINERD_EVENTS_PATH, request, options)) {
    const event = readContainerdEvent(data);
    if (event !== undefined) yield event;
  }
}
