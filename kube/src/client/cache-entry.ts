import type { KubeObject, ObjectMeta } from '../meta/object.ts';

/** What a cache keeps of one object. Never changed once stored. */
export interface CacheEntry<T> {
  /** `namespace/name`, or `name` of a cluster-scoped object. */
  readonly key: string;
  /** `''` for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The object as the transform left it. */
  readonly value: T;
}

/** Makes of an object what is stored. Must not fail and must not change its argument. */
export type Transform<T> = (object: KubeObject) => T;

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});

/** The key under which caches and queues know an object. Source: client-go cache MetaNamespaceKeyFunc. */
export function cacheKey(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** The two parts of a {@link cacheKey}. */
export function splitCacheKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return slash === -1
    ? { namespace: '', name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The entry of an object, which must have a name. */
export function cacheEntry<T>(object: KubeObject, value: T): CacheEntry<T> {
  const { name = '', namespace = '', uid = '', resourceVersion = '', labels = NO_LABELS } = object.metadata;
  return { key: cacheKey(namespace, name), namespace, name, uid, resourceVersion, labels, value };
}

/** The transform that informers use by default: managedFields, often half of an object, are read by nobody here. */
export function dropManagedFields(object: KubeObject): KubeObject {
  if (!('managedFields' in object.metadata)) return object;
  const metadata: ObjectMeta & { managedFields?: unknown } = { ...object.metadata };
  delete metadata.managedFields;
  return { ...object, metadata };
}
