import {
  LinuxContainerResources,
  NamespaceOption,
  SELinuxOption,
  SecurityProfile,
} from './linux-messages.ts';
import { Int64Value } from './runtime-messages.ts';
import { bool, int32, int64, list, many, map, message, one, oneOf, string, uint32 } from './wire.ts';

// Sandboxes. CRI v1 (package runtime.v1): names, numbers and types are those of the interface; fields that are not
// used are left out. A test compares each with what the installed containerd has built in.

export const Protocol = { TCP: 0, UDP: 1, SCTP: 2 } as const;

export const PodSandboxState = { SANDBOX_READY: 0, SANDBOX_NOTREADY: 1 } as const;

export const PodSandboxMetadata = message('PodSandboxMetadata', {
  name: string(1),
  uid: string(2),
  namespace: string(3),
  attempt: uint32(4),
});

export const DNSConfig = message('DNSConfig', {
  servers: list(1, 'string'),
  searches: list(2, 'string'),
  options: list(3, 'string'),
});

export const PortMapping = message('PortMapping', {
  protocol: oneOf(1, Protocol),
  containerPort: int32(2),
  hostPort: int32(3),
  hostIp: string(4),
});

export const LinuxSandboxSecurityContext = message('LinuxSandboxSecurityContext', {
  namespaceOptions: one(1, NamespaceOption),
  selinuxOptions: one(2, SELinuxOption),
  runAsUser: one(3, Int64Value),
  readonlyRootfs: bool(4),
  supplementalGroups: list(5, 'int64'),
  privileged: bool(6),
  runAsGroup: one(8, Int64Value),
  seccomp: one(9, SecurityProfile),
  apparmor: one(10, SecurityProfile),
});

export const LinuxPodSandboxConfig = message('LinuxPodSandboxConfig', {
  cgroupParent: string(1),
  securityContext: one(2, LinuxSandboxSecurityContext),
  sysctls: map(3),
  resources: one(5, LinuxContainerResources),
});

export const PodSandboxConfig = message('PodSandboxConfig', {
  metadata: one(1, PodSandboxMetadata),
  hostname: string(2),
  logDirectory: string(3),
  dnsConfig: one(4, DNSConfig),
  portMappings: many(5, PortMapping),
  labels: map(6),
  annotations: map(7),
  linux: one(8, LinuxPodSandboxConfig),
});

export const RunPodSandboxRequest = message('RunPodSandboxRequest', {
  config: one(1, PodSandboxConfig),
  runtimeHandler: string(2),
});

export const RunPodSandboxResponse = message('RunPodSandboxResponse', {
  podSandboxId: string(1),
});

export const StopPodSandboxRequest = message('StopPodSandboxRequest', {
  podSandboxId: string(1),
});

export const StopPodSandboxResponse = message('StopPodSandboxResponse', {});

export const RemovePodSandboxRequest = message('RemovePodSandboxRequest', {
  podSandboxId: string(1),
});

export const RemovePodSandboxResponse = message('RemovePodSandboxResponse', {});

export const PodSandboxStatusRequest = message('PodSandboxStatusRequest', {
  podSandboxId: string(1),
});

export const PodIP = message('PodIP', {
  ip: string(1),
});

export const PodSandboxNetworkStatus = message('PodSandboxNetworkStatus', {
  ip: string(1),
  additionalIps: many(2, PodIP),
});

export const PodSandboxStatus = message('PodSandboxStatus', {
  id: string(1),
  metadata: one(2, PodSandboxMetadata),
  state: oneOf(3, PodSandboxState),
  createdAt: int64(4),
  network: one(5, PodSandboxNetworkStatus),
  labels: map(7),
});

export const PodSandboxStatusResponse = message('PodSandboxStatusResponse', {
  status: one(1, PodSandboxStatus),
});

export const PodSandboxFilter = message('PodSandboxFilter', {
  id: string(1),
  labelSelector: map(3),
});

export const ListPodSandboxRequest = message('ListPodSandboxRequest', {
  filter: one(1, PodSandboxFilter),
});

export const PodSandbox = message('PodSandbox', {
  id: string(1),
  metadata: one(2, PodSandboxMetadata),
  state: oneOf(3, PodSandboxState),
  createdAt: int64(4),
});

export const ListPodSandboxResponse = message('ListPodSandboxResponse', {
  items: many(1, PodSandbox),
});

export const PortForwardRequest = message('PortForwardRequest', {
  podSandboxId: string(1),
  port: list(2, 'int32'),
});

export const PortForwardResponse = message('PortForwardResponse', {
  url: string(1),
});
