import { int64, many, map, message, oneOf, string, uint64 } from './wire.ts';

// What Linux does for sandboxes and containers alike. CRI v1 (package runtime.v1): names, numbers and types are those of the interface; fields that are not
// used are left out. A test compares each with what the installed containerd has built in.

export const NamespaceMode = { POD: 0, CONTAINER: 1, NODE: 2, TARGET: 3 } as const;

export const NamespaceOption = message('NamespaceOption', {
  network: oneOf(1, NamespaceMode),
  pid: oneOf(2, NamespaceMode),
  ipc: oneOf(3, NamespaceMode),
});

export const SELinuxOption = message('SELinuxOption', {
  user: string(1),
  role: string(2),
  type: string(3),
  level: string(4),
});

export const ProfileType = { RuntimeDefault: 0, Unconfined: 1, Localhost: 2 } as const;

export const SecurityProfile = message('SecurityProfile', {
  profileType: oneOf(1, ProfileType),
  localhostRef: string(2),
});

export const HugepageLimit = message('HugepageLimit', {
  pageSize: string(1),
  limit: uint64(2),
});

export const LinuxContainerResources = message('LinuxContainerResources', {
  cpuPeriod: int64(1),
  cpuQuota: int64(2),
  cpuShares: int64(3),
  memoryLimitInBytes: int64(4),
  oomScoreAdj: int64(5),
  hugepageLimits: many(8, HugepageLimit),
  unified: map(9),
});
