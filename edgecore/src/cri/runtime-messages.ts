import { bool, int64, many, map, message, one, string, uint64 } from './wire.ts';

// What a runtime says of itself, and values that many messages share. CRI v1 (package runtime.v1): names, numbers and types are those of the interface; fields that are not
// used are left out. A test compares each with what the installed containerd has built in.

export const VersionRequest = message('VersionRequest', {
  version: string(1),
});

export const VersionResponse = message('VersionResponse', {
  version: string(1),
  runtimeName: string(2),
  runtimeVersion: string(3),
  runtimeApiVersion: string(4),
});

export const RuntimeCondition = message('RuntimeCondition', {
  type: string(1),
  status: bool(2),
  reason: string(3),
  message: string(4),
});

export const RuntimeStatus = message('RuntimeStatus', {
  conditions: many(1, RuntimeCondition),
});

export const RuntimeHandlerFeatures = message('RuntimeHandlerFeatures', {
  recursiveReadOnlyMounts: bool(1),
});

export const RuntimeHandler = message('RuntimeHandler', {
  name: string(1),
  features: one(2, RuntimeHandlerFeatures),
});

export const StatusRequest = message('StatusRequest', {
  verbose: bool(1),
});

export const StatusResponse = message('StatusResponse', {
  status: one(1, RuntimeStatus),
  info: map(2),
  runtimeHandlers: many(3, RuntimeHandler), // since 1.30
});

export const NetworkConfig = message('NetworkConfig', {
  podCidr: string(1),
});

export const RuntimeConfig = message('RuntimeConfig', {
  networkConfig: one(1, NetworkConfig),
});

export const UpdateRuntimeConfigRequest = message('UpdateRuntimeConfigRequest', {
  runtimeConfig: one(1, RuntimeConfig),
});

export const UpdateRuntimeConfigResponse = message('UpdateRuntimeConfigResponse', {});

export const Int64Value = message('Int64Value', {
  value: int64(1),
});

export const UInt64Value = message('UInt64Value', {
  value: uint64(1),
});

export const FilesystemIdentifier = message('FilesystemIdentifier', {
  mountpoint: string(1),
});

export const FilesystemUsage = message('FilesystemUsage', {
  timestamp: int64(1),
  fsId: one(2, FilesystemIdentifier),
  usedBytes: one(3, UInt64Value),
  inodesUsed: one(4, UInt64Value),
});
