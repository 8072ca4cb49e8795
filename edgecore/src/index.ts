export { EDGECORE_ERRORS, EdgeCoreError, type EdgeCoreErrorCode } from './errors.ts';
export { EdgeStore, type EdgeStoreCounters, type EdgeStoreOptions } from './store/edge-store.ts';
export type { StateStore } from './store/state-store.ts';
export type {
  FindingKind,
  LostObject,
  OpenReport,
  RowCounts,
  StoreFault,
  StoreFinding,
} from './store/store-report.ts';
export {
  CertificateRotation,
  renewAt,
  type CertificateRotationOptions,
  type RenewalWay,
  type RotationStatus,
} from './identity/certificate-rotation.ts';
export { createCsr } from './identity/csr.ts';
export { HubRefusal } from './identity/hub-refusal.ts';
export type { Issued } from './identity/identity-bundle.ts';
export { joinCluster, type JoinOptions, type JoinResult } from './identity/join-cluster.ts';
export { NodeIdentity, type JoinedCluster, type NodeIdentityOptions } from './identity/node-identity.ts';
export type { NodeKeyType } from './identity/node-key.ts';
export { DiskPkiFolder, type PkiFolder } from './identity/pki-folder.ts';
export { renewOverHttps, type HttpsRenewal } from './identity/renewal-request.ts';
export { TrustedClock, type TrustedClockOptions } from './identity/trusted-clock.ts';
export { AdminClient, DEFAULT_ADMIN_SOCKET, type AdminClientOptions } from './admin/admin-client.ts';
export type {
  AcceptClusterAnswer,
  AdminFailure,
  ClusterName,
  EdgeStatus,
  ObjectList,
  ObjectRow,
  ObjectView,
  PodRow,
  PodRows,
  PodView,
  ReportedError,
  ScopeStatus,
  SessionState,
  StoreStatus,
} from './admin/admin-types.ts';
export { loadConfig } from './config/load-config.ts';
export { optionRows, type OptionRow, type Taint } from './config/option.ts';
export { EDGE_OPTIONS, edgeConfig, type EdgeConfig, type EdgeConfigInput } from './config/options.ts';
export { PKI_DIR, startEdgeCore, type EdgeCore, type EdgeCoreOptions } from './edge-core.ts';
export { jsonLogger, type JsonLoggerOptions, type LogFormat, type LogLevel } from './log/json-logger.ts';
export type { Machine, MachineFacts, MachineReading } from './node/machine.ts';
export type {
  ContainerRuntime,
  RuntimeContainer,
  RuntimeContainerState,
  RuntimePod,
} from './runtime/container-runtime.ts';
export { SOFTWARE, VERSION } from './version.ts';
export { ProcessLock } from './store/process-lock.ts';
export { tokenPin } from './identity/join-token.ts';
export type { PoolState, PoolStatus } from './pool/pool-types.ts';
export type { LocalApiStatus } from './local-api/local-api-types.ts';
