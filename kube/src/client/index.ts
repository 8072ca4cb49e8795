export type { ApiCall, ApiClient, ApiMethod, ApiQuery, ApiStream, ApiStreamCall } from './api-client.ts';
export { apiVersionOf, resourcePath, type ApiResource, type ResourceTarget } from './api-resource.ts';
export { BareConnections, type BareConnectionsOptions } from './bare-connections.ts';
export {
  cacheEntry,
  cacheKey,
  dropManagedFields,
  splitCacheKey,
  type CacheEntry,
  type Transform,
} from './cache-entry.ts';
export { ClientError, type ClientErrorCode } from './client-error.ts';
export { reflectorMetrics, type ReflectorMetrics } from './client-metrics.ts';
export { Controller, type ControllerOptions, type Reconcile } from './controller.ts';
export {
  FileCredentials,
  staticCredentials,
  type Credentials,
  type CredentialSource,
  type FileCredentialsOptions,
  type TlsMaterial,
} from './credentials.ts';
export { HttpApiClient, type HttpApiClientOptions } from './http-client.ts';
export type { Change, Indexer } from './indexed-store.ts';
export { InformerFactory, type InformerDefaults, type ListerWatcherSource } from './informer-factory.ts';
export {
  Informer,
  objectInformer,
  type ChangeHandler,
  type HandlerRegistration,
  type InformerOptions,
  type InformerPhase,
} from './informer.ts';
export { LeaderElector, type LeaderElectionOptions, type LeadershipTerm } from './leader-election.ts';
export { LeaseLock, microTime, type Lease, type LeaseLockOptions, type LeaseSpec } from './lease.ts';
export {
  resourceListerWatcher,
  type ListCall,
  type ListerWatcher,
  type ListerWatcherScope,
  type ListPage,
  type WatchCall,
  type WatchStream,
} from './lister-watcher.ts';
export { Lister, type LabelMatcher, type ListerQuery } from './lister.ts';
export {
  BucketLimiter,
  defaultRateLimiter,
  FailureLimiter,
  MaxLimiter,
  type BucketLimiterOptions,
  type FailureLimiterOptions,
  type RateLimiter,
} from './rate-limiter.ts';
export type { ReflectorOptions, ReflectorPhase, ReflectorSink, RelistCause } from './reflector-options.ts';
export { Reflector } from './reflector.ts';
export {
  ResourceClient,
  type CallOptions,
  type DeleteOptions,
  type ObjectList,
  type PatchType,
  type WriteOptions,
} from './resource-client.ts';
export { compareVersions } from './resource-version.ts';
export { RESOURCES } from './resources.ts';
export { isExpired, isStatus, isTooLargeVersion } from './response-status.ts';
export { ServerFacts } from './server-facts.ts';
export { INITIAL_EVENTS_END, type WatchEvent } from './watch-events.ts';
export { workqueueMetrics, type WorkqueueMetrics } from './workqueue-metrics.ts';
export { Workqueue, type WorkqueueOptions } from './workqueue.ts';
