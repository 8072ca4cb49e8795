/**
 * Entry point `@hawser/edgecore/admin`: what other programs on the machine of an edge core need to speak with it, and
 * to find what it keeps. Loads nothing of the edge core itself: a command that asks for the status has to answer at
 * once, on a small machine too.
 */
export { AdminClient, DEFAULT_ADMIN_SOCKET, type AdminClientOptions } from './admin/admin-client.ts';
export type {
  AcceptClusterAnswer,
  ClusterName,
  DeviceReading,
  DeviceViews,
  EdgeStatus,
  MapperRows,
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
export { EDGE_OPTIONS, edgeConfig, type EdgeConfig, type EdgeConfigInput } from './config/options.ts';
export type { RecentEvent } from './events/event-recorder.ts';
export { EDGECORE_ERRORS, EdgeCoreError, type EdgeCoreErrorCode } from './errors.ts';
export { PKI_DIR, PKI_FILES } from './identity/pki-files.ts';
export type { DefinitionProblem } from './mappers/definition-folder.ts';
export type { LocalApiStatus } from './local-api/local-api-types.ts';
export type { MapperState } from './mappers/mapper-supervisor.ts';
export type { PoolState, PoolStatus } from './pool/pool-types.ts';
export { DataDir } from './store/data-dir.ts';
export type { DeviceView, TwinView } from './twins/twins.ts';
export { VERSION } from './version.ts';
