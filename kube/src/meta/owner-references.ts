import type { KubeObject, OwnerReference } from './object.ts';

/** The one owner that controls an object. Source: apimachinery meta/v1 GetControllerOf. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** Whether `owner` controls `object`; the uid decides, for a name may be used again. */
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  const { uid } = owner.metadata;
  return uid !== undefined && controllerOf(object)?.uid === uid;
}

/**
 * The reference of an object to its controller; the owner's removal waits for it (`blockOwnerDeletion`).
 * Source: apimachinery meta/v1 NewControllerRef.
 * @throws TypeError for an owner that was never stored.
 */
export function controllerReference(owner: KubeObject): OwnerReference {
  return { ...ownerReference(owner), controller: true, blockOwnerDeletion: true };
}

/**
 * The reference of an object to one of its owners, without control.
 * @throws TypeError for an owner that was never stored.
 */
export function ownerReference(owner: KubeObject): OwnerReference {
  const { name, uid } = owner.metadata;
  if (name === undefined || uid === undefined) throw new TypeError('an owner needs a name and a uid');
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid };
}
