export { Alarm } from './edge/alarm.ts';
export type { Content, ContentHash, ContentKey } from './content/content.ts';
export type { VolatileMessage } from './edge/outbox-slot.ts';
export type { OutboxEntry, OutboxStore } from './edge/outbox-store.ts';
export type { ReplicaChange, ReplicaEntry, ReplicaRecord, ReplicaStore } from './edge/replica-store.ts';
export type { ScopeListener, ScopeView } from './hub/scope-view.ts';
export {
  MAX_UPSTREAM_BYTES,
  packUpstream,
  type UpstreamAnswers,
  type UpstreamBodies,
  type UpstreamKind,
  type UpstreamSetting,
  type UpstreamTwin,
  type UpstreamTwinValue,
} from './upstream.ts';
export { applyDelta } from './codec/apply-delta.ts';
export type { ChangeEncoder, EncodedChange } from './codec/change-encoder.ts';
export { DeltaEncoder, type DeltaEncoderCounters, type DeltaEncoderOptions } from './codec/delta-encoder.ts';
export { encodeDelta } from './codec/encode-delta.ts';
export { MAX_INVENTORY_BYTES, packInventory, unpackInventory } from './codec/inventory.ts';
export { MAX_CONTENT_BYTES, MAX_JSON_BYTES, pack, packJson, unpack, unpackJson } from './codec/pack.ts';
export { VERSION_CACHE_BYTES, VersionCache } from './codec/version-cache.ts';
export { canonicalJson } from './content/canonical-json.ts';
export {
  BUCKETS,
  bucketOf,
  differingBuckets,
  DigestTree,
  SMALL_SCOPE_ENTRIES,
} from './content/digest-tree.ts';
export { HASH_BYTES, hashFromBytes, hashOf, hashToBytes } from './content/hash.ts';
export { compareKeys, formatKey, MAX_KEY_BYTES, parseKey, type KeyParts } from './content/key.ts';
export {
  contentOf,
  NORMAL_FORMS,
  renormalize,
  type NormalForm,
  type NormalForms,
} from './content/normal-form.ts';
export { SYNC_ERRORS, SyncError, type SyncErrorCode } from './errors.ts';
export {
  ClusterGuard,
  type AcceptedCluster,
  type ClusterClaim,
  type ClusterIdentity,
  type ClusterVerdict,
} from './edge/cluster-guard.ts';
export {
  Outbox,
  OUTBOX_LIMITS,
  type OutboxCounters,
  type OutboxLimits,
  type OutboxMessage,
  type OutboxOptions,
} from './edge/outbox.ts';
export { ReplicaSession, type ReplicaChecks, type ReplicaSessionOptions } from './edge/replica-session.ts';
export {
  ScopeReplica,
  type ReplicaCounters,
  type ReplicaState,
  type ScopeReplicaOptions,
} from './edge/scope-replica.ts';
export {
  UpstreamRefusedError,
  UpstreamRequests,
  type UpstreamRequestsOptions,
} from './edge/upstream-requests.ts';
export { UpstreamSession, type UpstreamOutcome } from './edge/upstream-session.ts';
export { publisherCounters, type PublisherCounters } from './hub/publisher-counters.ts';
export { ScopePublisher, type ScopePublisherOptions } from './hub/scope-publisher.ts';
export { SYNC_WINDOW } from './window.ts';
export {
  AUTHENTICATION_NAME,
  parsePoolScope,
  POOL_API_VERSION,
  POOL_RESOURCES,
  poolObjectKey,
  poolResourceName,
  poolScope,
  SOLO_PREFIX,
  type ClusterAuthentication,
  type PoolMemberEntry,
  type PoolMembership,
  type PoolResource,
  type PoolRoster,
} from './pool/pool-objects.ts';
export type { PoolChange, PoolCommit, PoolView } from './pool/pool-view.ts';
export {
  POOL_STORE_LIMITS,
  PoolStore,
  type PoolStoreLimits,
  type PoolStoreOptions,
} from './pool/pool-store.ts';
export type { CheckedState } from './pool/pool-scope.ts';
export { publishedView, type PublishedView, type PublishedViewOptions } from './pool/published-view.ts';
export {
  isSignedBy,
  poolStateKeys,
  publicKeyFromRaw,
  rawPublicKey,
  readSignedState,
  signState,
  stateSubject,
  type PoolStateKeys,
  type SignedState,
  type StateSubject,
} from './pool/signed-state.ts';
export { compareVersions, isVersion } from './pool/state-version.ts';
