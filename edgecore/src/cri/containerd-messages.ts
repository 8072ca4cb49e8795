import { bytes, int32, int64, list, message, one, string, uint32 } from './wire.ts';

// containerd's service of events (containerd.services.events.v1) and the events of it that tell of containers
// (containerd.events). Fields that are not used are left out; a test compares the others with the installed containerd.

export const SubscribeRequest = message('SubscribeRequest', {
  filters: list(1, 'string'),
});

export const Any = message('Any', {
  typeUrl: string(1),
  value: bytes(2),
});

export const Envelope = message('Envelope', {
  namespace: string(2),
  topic: string(3),
  event: one(4, Any),
});

export const ContainerCreate = message('ContainerCreate', {
  id: string(1),
});

export const ContainerDelete = message('ContainerDelete', {
  id: string(1),
});

export const TaskStart = message('TaskStart', {
  containerId: string(1),
});

/** google.protobuf.Timestamp. */
export const Timestamp = message('Timestamp', {
  seconds: int64(1),
  nanos: int32(2),
});

export const TaskExit = message('TaskExit', {
  containerId: string(1),
  id: string(2), // the container's own for its first process, another one for a process of exec
  exitStatus: uint32(4),
  exitedAt: one(5, Timestamp),
});

export const TaskOOM = message('TaskOOM', {
  containerId: string(1),
});

export const TaskDelete = message('TaskDelete', {
  containerId: string(1),
});
