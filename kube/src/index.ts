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
