import type { GroupResource, ObjectKey, ObjectStore } from '@hawser/kube';

/** What the local API reads: the node's own objects, and those of its pool; `LocalStore`. */
export interface LocalObjects extends ObjectStore {
  /**
   * Whether a get, list or watch is answered from here.
   * @param namespace '' for all, and for cluster-scoped ones
   * @param name '' for lists and watches
   * @param fieldSelector as in the query
   * @throws StatusError BadRequest for a selector that is none
   */
  serves(resource: GroupResource, namespace: string, name: string, fieldSelector: string): boolean;
  /** Reads an object from the disk, so that it can be asked for. */
  load(key: ObjectKey): Promise<void>;
}
