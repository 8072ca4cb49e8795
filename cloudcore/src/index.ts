export { CLOUDCORE_ERRORS, CloudCoreError, type CloudCoreErrorCode } from './errors.ts';
export { ensureAuthority } from './identity/authority-secret.ts';
export { authoritiesPem, pinOf, type Authority } from './identity/authority.ts';
export type { JoinAnswer, JoinRequest, RenewAnswer } from './identity/enrollment.ts';
export { HubIdentity, type HubIdentityOptions } from './identity/hub-identity.ts';
export { IdentityMetrics } from './identity/identity-metrics.ts';
export type { IdentityService } from './identity/identity-service.ts';
export type { JoinToken, TokenUse } from './identity/join-token.ts';
export { JoinTokens, type JoinTokensOptions, type TokenOrder } from './identity/join-tokens.ts';
export type { IssuedCertificate, NodeRecord } from './identity/node-record.ts';
export { NodeRecords, revokeNode } from './identity/node-records.ts';
export type { RefusalBody } from './identity/refusal.ts';
export { LeaseKeeper, type LeaseKeeperOptions } from './sessions/lease-keeper.ts';
export { ReportRequests, type ReportRequestsOptions } from './sessions/report-requests.ts';
export {
  TolerationsController,
  type TolerationsControllerOptions,
} from './tolerations/tolerations-controller.ts';
export { policyOf, unboundedTolerations, type TolerationsPolicy } from './tolerations/tolerations-plan.ts';
export { forbiddenAnnotations, forbiddenLabels } from './upstream/node-labels.ts';
export type { UpstreamHandler, UpstreamOutcome } from './upstream/upstream-handler.ts';
export {
  UpstreamRouter,
  type CertificateRenewal,
  type UpstreamRouterOptions,
} from './upstream/upstream-router.ts';
export {
  decideSettings,
  type SettableDevice,
  type SettingDecision,
  type SupersededSetting,
} from './upstream/setting-decision.ts';
export type { UploadTarget } from './upstream/upload-writer.ts';
export { DEVICE_LIMITS } from './upstream/upstream-gates.ts';
export type { Rate } from './upstream/token-bucket.ts';
export { WRITE_LIMITS, type WriteLimits } from './upstream/write-gate.ts';
export { ClusterCache, type ClusterCacheOptions } from './cache/cluster-cache.ts';
export type { ClusterView, DeviceFacts, NodeFacts, PodFacts } from './cache/cluster-view.ts';
export { DEVICE_MODELS, DEVICES } from './cache/bound-devices.ts';
export type { SharedResource } from './cache/shared-objects.ts';
export { ApiVersionReader, type ApiVersionReaderOptions } from './cluster/api-version-reader.ts';
export {
  ClusterIdentity,
  type ClusterIdentityOptions,
  type ClusterLife,
} from './cluster/cluster-identity.ts';
export {
  acceptCluster,
  ensureClusterRecord,
  type ClusterRecord,
  type ClusterRecordTarget,
} from './cluster/cluster-record.ts';
export { ANNOTATIONS, HAWSER_NAMESPACE, LABELS, NODE_LEASE_NAMESPACE, OBJECTS } from './cluster/names.ts';
export { StampGuard, type StampGuardOptions, type StampVerdict } from './cluster/stamp-guard.ts';
export { Stamps, type StampFacts, type StampsOptions } from './cluster/stamps.ts';
export { startCloudCore, type CloudCore, type CloudCoreOptions } from './cloud-core.ts';
export { checkConfig, readConfigFile } from './config/load-config.ts';
export { configSchema, type CloudCoreConfig, type CloudCoreConfigInput } from './config/schema.ts';
export { VERSION } from './version.ts';
