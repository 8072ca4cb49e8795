/**
 * Entry point `@hawser/cloudcore/admin`: what programs need that look after a cluster from outside of the hub: its
 * authority, join tokens, records of nodes, incarnation, configuration of a hub. Loads nothing of the hub itself.
 */
export { ANNOTATIONS, HAWSER_NAMESPACE, LABELS, NODE_LEASE_NAMESPACE, OBJECTS } from './cluster/names.ts';
export {
  acceptCluster,
  ensureClusterRecord,
  readClusterRecord,
  type ClusterRecord,
  type ClusterRecordTarget,
} from './cluster/cluster-record.ts';
export { checkConfig, readConfigFile } from './config/load-config.ts';
export { CLOUDCORE_ERRORS, CloudCoreError, type CloudCoreErrorCode } from './errors.ts';
export { ensureAuthority } from './identity/authority-secret.ts';
export type { Authority } from './identity/authority.ts';
export type { JoinToken, TokenUse } from './identity/join-token.ts';
export { JoinTokens, type JoinTokensOptions, type TokenOrder } from './identity/join-tokens.ts';
export {
  decodeRecord,
  isOut,
  NODE_IDENTITY,
  type IssuedCertificate,
  type NodeRecord,
} from './identity/node-record.ts';
export { NodeRecords, revokeNode } from './identity/node-records.ts';
