import { ImageSpec } from './image-messages.ts';
import {
  LinuxContainerResources,
  NamespaceOption,
  SELinuxOption,
  SecurityProfile,
} from './linux-messages.ts';
import { FilesystemUsage, Int64Value, UInt64Value } from './runtime-messages.ts';
import { PodSandboxConfig, PodSandboxStatus } from './sandbox-messages.ts';
import { bool, bytes, int32, int64, list, many, map, message, one, oneOf, string, uint32 } from './wire.ts';

// Containers. CRI v1 (package runtime.v1): names, numbers and types are those of the interface; fields that are not
// used are left out. A test compares each with what the installed containerd has built in.

export const ContainerState = {
  CONTAINER_CREATED: 0,
  CONTAINER_RUNNING: 1,
  CONTAINER_EXITED: 2,
  CONTAINER_UNKNOWN: 3,
} as const;

export const MountPropagation = {
  PROPAGATION_PRIVATE: 0,
  PROPAGATION_HOST_TO_CONTAINER: 1,
  PROPAGATION_BIDIRECTIONAL: 2,
} as const;

export const ContainerEventType = {
  CONTAINER_CREATED_EVENT: 0,
  CONTAINER_STARTED_EVENT: 1,
  CONTAINER_STOPPED_EVENT: 2,
  CONTAINER_DELETED_EVENT: 3,
} as const;

export const ContainerMetadata = message('ContainerMetadata', {
  name: string(1),
  attempt: uint32(2),
});

export const KeyValue = message('KeyValue', {
  key: string(1),
  value: string(2),
});

export const Mount = message('Mount', {
  containerPath: string(1),
  hostPath: string(2),
  readonly: bool(3),
  selinuxRelabel: bool(4),
  propagation: oneOf(5, MountPropagation),
  recursiveReadOnly: bool(8), // since 1.30
});

export const Device = message('Device', {
  containerPath: string(1),
  hostPath: string(2),
  permissions: string(3),
});

export const Capability = message('Capability', {
  addCapabilities: list(1, 'string'),
  dropCapabilities: list(2, 'string'),
});

export const LinuxContainerSecurityContext = message('LinuxContainerSecurityContext', {
  capabilities: one(1, Capability),
  privileged: bool(2),
  namespaceOptions: one(3, NamespaceOption),
  selinuxOptions: one(4, SELinuxOption),
  runAsUser: one(5, Int64Value),
  runAsUsername: string(6),
  readonlyRootfs: bool(7),
  supplementalGroups: list(8, 'int64'),
  noNewPrivs: bool(11),
  runAsGroup: one(12, Int64Value),
  maskedPaths: list(13, 'string'),
  readonlyPaths: list(14, 'string'),
  seccomp: one(15, SecurityProfile),
  apparmor: one(16, SecurityProfile),
});

export const LinuxContainerConfig = message('LinuxContainerConfig', {
  resources: one(1, LinuxContainerResources),
  securityContext: one(2, LinuxContainerSecurityContext),
});

export const ContainerConfig = message('ContainerConfig', {
  metadata: one(1, ContainerMetadata),
  image: one(2, ImageSpec),
  command: list(3, 'string'),
  args: list(4, 'string'),
  workingDir: string(5),
  envs: many(6, KeyValue),
  mounts: many(7, Mount),
  devices: many(8, Device),
  labels: map(9),
  annotations: map(10),
  logPath: string(11),
  stdin: bool(12),
  stdinOnce: bool(13),
  tty: bool(14),
  linux: one(15, LinuxContainerConfig),
});

export const CreateContainerRequest = message('CreateContainerRequest', {
  podSandboxId: string(1),
  config: one(2, ContainerConfig),
  sandboxConfig: one(3, PodSandboxConfig),
});

export const CreateContainerResponse = message('CreateContainerResponse', {
  containerId: string(1),
});

export const StartContainerRequest = message('StartContainerRequest', {
  containerId: string(1),
});

export const StartContainerResponse = message('StartContainerResponse', {});

export const StopContainerRequest = message('StopContainerRequest', {
  containerId: string(1),
  timeout: int64(2),
});

export const StopContainerResponse = message('StopContainerResponse', {});

export const RemoveContainerRequest = message('RemoveContainerRequest', {
  containerId: string(1),
});

export const RemoveContainerResponse = message('RemoveContainerResponse', {});

export const ContainerFilter = message('ContainerFilter', {
  id: string(1),
  podSandboxId: string(3),
  labelSelector: map(4),
});

export const ListContainersRequest = message('ListContainersRequest', {
  filter: one(1, ContainerFilter),
});

export const Container = message('Container', {
  id: string(1),
  podSandboxId: string(2),
  metadata: one(3, ContainerMetadata),
  image: one(4, ImageSpec),
  imageRef: string(5),
  state: oneOf(6, ContainerState),
  createdAt: int64(7),
  labels: map(8),
  annotations: map(9),
});

export const ListContainersResponse = message('ListContainersResponse', {
  containers: many(1, Container),
});

export const ContainerStatusRequest = message('ContainerStatusRequest', {
  containerId: string(1),
});

export const ContainerStatus = message('ContainerStatus', {
  id: string(1),
  state: oneOf(3, ContainerState),
  createdAt: int64(4),
  startedAt: int64(5),
  finishedAt: int64(6),
  exitCode: int32(7),
  image: one(8, ImageSpec),
  imageRef: string(9),
  reason: string(10),
  message: string(11),
  logPath: string(15),
});

export const ContainerStatusResponse = message('ContainerStatusResponse', {
  status: one(1, ContainerStatus),
});

export const UpdateContainerResourcesRequest = message('UpdateContainerResourcesRequest', {
  containerId: string(1),
  linux: one(2, LinuxContainerResources),
});

export const UpdateContainerResourcesResponse = message('UpdateContainerResourcesResponse', {});

export const ReopenContainerLogRequest = message('ReopenContainerLogRequest', {
  containerId: string(1),
});

export const ReopenContainerLogResponse = message('ReopenContainerLogResponse', {});

export const ContainerStatsFilter = message('ContainerStatsFilter', {
  id: string(1),
  podSandboxId: string(2),
  labelSelector: map(3),
});

export const ListContainerStatsRequest = message('ListContainerStatsRequest', {
  filter: one(1, ContainerStatsFilter),
});

export const ContainerAttributes = message('ContainerAttributes', {
  id: string(1),
  metadata: one(2, ContainerMetadata),
  labels: map(3),
});

export const CpuUsage = message('CpuUsage', {
  timestamp: int64(1),
  usageCoreNanoSeconds: one(2, UInt64Value),
});

export const MemoryUsage = message('MemoryUsage', {
  timestamp: int64(1),
  workingSetBytes: one(2, UInt64Value),
});

export const ContainerStats = message('ContainerStats', {
  attributes: one(1, ContainerAttributes),
  cpu: one(2, CpuUsage),
  memory: one(3, MemoryUsage),
  writableLayer: one(4, FilesystemUsage),
});

export const ListContainerStatsResponse = message('ListContainerStatsResponse', {
  stats: many(1, ContainerStats),
});

export const ExecSyncRequest = message('ExecSyncRequest', {
  containerId: string(1),
  cmd: list(2, 'string'),
  timeout: int64(3),
});

export const ExecSyncResponse = message('ExecSyncResponse', {
  stdout: bytes(1),
  stderr: bytes(2),
  exitCode: int32(3),
});

export const ExecRequest = message('ExecRequest', {
  containerId: string(1),
  cmd: list(2, 'string'),
  tty: bool(3),
  stdin: bool(4),
  stdout: bool(5),
  stderr: bool(6),
});

export const ExecResponse = message('ExecResponse', {
  url: string(1),
});

export const AttachRequest = message('AttachRequest', {
  containerId: string(1),
  stdin: bool(2),
  tty: bool(3),
  stdout: bool(4),
  stderr: bool(5),
});

export const AttachResponse = message('AttachResponse', {
  url: string(1),
});

export const GetEventsRequest = message('GetEventsRequest', {});

export const ContainerEventResponse = message('ContainerEventResponse', {
  containerId: string(1),
  containerEventType: oneOf(2, ContainerEventType),
  podSandboxStatus: one(4, PodSandboxStatus), // since 1.26; 1.6 has another message there, and never sends it
});
