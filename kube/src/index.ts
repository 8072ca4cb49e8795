export type { JsonValue, KubeObject, ObjectMeta, OwnerReference } from './meta/object.ts';
export {
  StatusError,
  type Status,
  type StatusCause,
  type StatusDetails,
  type StatusReason,
} from './status/status.ts';
export type {
  Entry,
  EntryList,
  GroupResource,
  ObjectKey,
  ObjectStore,
  Scope,
  StoreEvent,
  StoreWatch,
} from './store/store.ts';
export { KubeError } from './errors.ts';
export { asStatusError } from './status/as-status-error.ts';
export {
  field,
  fieldChild,
  fieldErrorCauses,
  fieldErrorMessage,
  fieldErrorsMessage,
  fieldIndex,
  fieldKey,
  NO_FIELD,
  OMITTED,
  type FieldError,
  type FieldErrorType,
} from './status/field-error.ts';
export { goJson, goQuote, goValue } from './status/go-format.ts';
export {
  alreadyExists,
  badRequest,
  conflict,
  deleteUidConflict,
  deleteVersionConflict,
  expired,
  failure,
  forbidden,
  forbiddenPath,
  formatGroupKind,
  formatGroupResource,
  generateNameConflict,
  gone,
  internalError,
  invalid,
  listTooOld,
  methodNotAllowed,
  methodNotSupported,
  noSuchResource,
  notAcceptable,
  notFound,
  plainError,
  requestEntityTooLarge,
  resourceVersionTooLarge,
  serverTimeout,
  serviceUnavailable,
  timeout,
  tooManyRequests,
  tooOldResourceVersion,
  uidConflict,
  unauthorized,
  unprocessable,
  unsupportedMediaType,
  unsupportedPatchType,
  type GroupKind,
} from './status/status-errors.ts';
export {
  escapeFieldValue,
  FieldSelector,
  type FieldMap,
  type FieldRequirement,
} from './meta/field-selector.ts';
export { generateName, randomSuffix } from './meta/generate-name.ts';
export { isPlainObject, jsonEqual, type JsonObject } from './meta/json.ts';
export { isInDomain, nodeMayLabel } from './meta/node-labels.ts';
export type { LabelOperator, LabelRequirement } from './meta/label-requirement.ts';
export {
  LabelSelector,
  type LabelSelectorObject,
  type LabelSelectorRequirement,
} from './meta/label-selector.ts';
export {
  configKeyProblems,
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  generateNameProblems,
  labelValueProblems,
  pathSegmentProblems,
  qualifiedNameProblems,
  type NameCheck,
} from './meta/names.ts';
export { EventWatch, type WatchSource } from './store/event-watch.ts';
export type { HistoryLimits } from './store/history.ts';
export { MemoryStore, type MemoryStoreOptions } from './store/memory-store.ts';
export { canonicalQuantity, isQuantity, Quantity } from './quantity/quantity.ts';
export type { QuantityFormat } from './quantity/quantity-syntax.ts';
export { SqliteStore, type SqliteStoreOptions } from './store/sqlite-store.ts';
export * from './client/index.ts';
// Its own name is that of the comparison of API versions here.
export { compareVersions as compareResourceVersions } from './client/resource-version.ts';
export type { TokenIssuer, TokenOrder, BoundObject } from './server/actions/token-request.ts';
export type { RuleLister } from './server/actions/reviews.ts';
export type { AdmissionAttributes, AdmissionPlugin } from './server/admission/admission.ts';
export { namespaceLifecycle } from './server/admission/namespace-lifecycle.ts';
export {
  defaultTolerationSeconds,
  podPriority,
  taintNewNodes,
  type TolerationOptions,
} from './server/admission/pod-defaults.ts';
export { serviceAccountAdmission } from './server/admission/service-account.ts';
export {
  clientCertificateAuthenticator,
  type Authenticator,
  type TokenAuthenticator,
  type TokenIdentity,
} from './server/auth/authenticator.ts';
export {
  allowAllAuthorizer,
  privilegedGroupAuthorizer,
  unionAuthorizer,
  type AuthorizationAttributes,
  type AuthorizationDecision,
  type Authorizer,
} from './server/auth/authorizer.ts';
export { createBootstrapPolicy } from './server/auth/bootstrap-policy.ts';
export { csrSubject, type CsrSubject } from './server/auth/csr-subject.ts';
export { NodeAuthorizer } from './server/auth/node-authorizer.ts';
export { NodeGraph, type ReferencedResource } from './server/auth/node-graph.ts';
export { nodeName } from './server/auth/node-identity.ts';
export { NodeRestriction } from './server/auth/node-restriction.ts';
export { RbacAuthorizer } from './server/auth/rbac-authorizer.ts';
export { RbacEscalation } from './server/auth/rbac-escalation.ts';
export {
  ANONYMOUS,
  AUTHENTICATED,
  MASTERS,
  UNAUTHENTICATED,
  userInfo,
  type UserInfo,
} from './server/auth/user.ts';
export { builtInResources, type BuiltInOptions } from './server/builtin/index.ts';
export { reviewResources } from './server/builtin/reviews.ts';
export type { ServiceRanges } from './server/builtin/service-allocator.ts';
export { CrdController, type CrdControllerOptions } from './server/crd/crd-controller.ts';
export type { Draft, DraftMeta } from './server/draft.ts';
export type { AnsweredRequest, PathContext, PathHandler } from './server/http/api-handler.ts';
export type { ConnectHandler, UpgradeContext } from './server/http/connect.ts';
export type { DelegatedRequest, RequestDelegate } from './server/http/delegate.ts';
export type { VersionInfo } from './server/http/discovery.ts';
export type { HealthCheck } from './server/http/health.ts';
export type { RequestContext } from './server/http/request-context.ts';
export type { RequestInfo } from './server/http/request-info.ts';
export type { Responder } from './server/http/responder.ts';
export type {
  ResourceDefinition,
  ResourceStrategy,
  StrategyContext,
  SubresourceDefinition,
  UpdateStrategy,
} from './server/registry/definition.ts';
export { Registry } from './server/registry/registry.ts';
export {
  readOnlyResource,
  schemalessResource,
  type SchemalessResource,
} from './server/registry/schemaless-resource.ts';
export {
  KubeServer,
  type KubeServerOptions,
  type ListenOptions,
  type ServerLimits,
  type TlsSettings,
} from './server/server.ts';
export { localListerWatchers, type LocalListerWatcherOptions } from './server/watch/local-lister-watcher.ts';
export { applyJsonPatch } from './patch/json-patch.ts';
export { applyMergePatch, createMergePatch } from './patch/merge-patch.ts';
export { patchTypeOf, type FieldPatchMeta, type PatchType } from './patch/patch-meta.ts';
export { applyStrategicMergePatch } from './patch/strategic-merge.ts';
export type { JsonSchema } from './schema/json-schema.ts';
export type { Pruned } from './schema/prune.ts';
export { structuralErrors } from './schema/structural.ts';
export { StructuralSchema } from './schema/structural-schema.ts';
export {
  compareVersions,
  formatApiVersion,
  parseApiVersion,
  type GroupVersion,
} from './meta/group-version.ts';
export {
  controllerOf,
  controllerReference,
  isControlledBy,
  ownerReference,
} from './meta/owner-references.ts';
export { RestMapper, type ResourceMapping } from './meta/rest-mapper.ts';
export { formatMicroTime, formatTime, parseTime } from './meta/timestamps.ts';
export {
  dataFrame,
  HeaderBlocks,
  pingFrame,
  SpdyFrames,
  synReplyFrame,
  synStreamFrame,
  type SpdyFrame,
} from './streams/spdy-frames.ts';
export { HeaderReader, SPDY_DICTIONARY } from './streams/spdy-headers.ts';
