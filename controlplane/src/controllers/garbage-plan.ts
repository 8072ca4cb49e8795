import type { KubeObject, OwnerReference } from '@hawser/kube';

/** What is known of an owner. */
export type OwnerState =
  /** It is there. */
  | 'present'
  /** It is there, and waits for its dependents to go (foreground deletion). */
  | 'waiting'
  /** It is not there, or another object has its name. */
  | 'absent'
  /** Nobody can say: its kind is not served, or it cannot own the object. Nothing is done then. */
  | 'unknown';

/** What becomes of a dependent. */
export type GarbageAction =
  | { readonly type: 'nothing' }
  /** Its owners are all gone, or going: delete it. */
  | { readonly type: 'delete'; readonly propagation: 'Foreground' | 'Background' | 'Orphan' }
  /** Some owners are left: it lets go of the others (by uid). */
  | { readonly type: 'dropOwners'; readonly uids: readonly string[] };

export const ORPHAN_FINALIZER = 'orphan';
export const FOREGROUND_FINALIZER = 'foregroundDeletion';

/**
 * What becomes of an object by the state of its owners. `hasDependents`: whether something depends on it itself.
 * Source: kubernetes pkg/controller/garbagecollector attemptToDeleteItem.
 */
export function judge(
  object: KubeObject,
  ownerState: (reference: OwnerReference) => OwnerState,
  hasDependents: boolean,
): GarbageAction {
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0) return { type: 'nothing' };
  // One that is being deleted already needs no further push, but for blocking its owner (it is about to go).
  if (object.metadata.deletionTimestamp !== undefined) return { type: 'nothing' };
  const states = references.map((reference) => ({ reference, state: ownerState(reference) }));
  if (states.some(({ state }) => state === 'unknown')) return { type: 'nothing' };
  const solid = states.some(({ state }) => state === 'present');
  const going = states.filter(({ state }) => state !== 'present').map(({ reference }) => reference.uid);
  if (solid) return going.length === 0 ? { type: 'nothing' } : { type: 'dropOwners', uids: going };
  const waiting = states.some(({ state }) => state === 'waiting');
  if (waiting && hasDependents) return { type: 'delete', propagation: 'Foreground' };
  return { type: 'delete', propagation: deletionPolicyOf(object) };
}

/** A finalizer that a user has set says how the object's own dependents are to be treated. */
function deletionPolicyOf({ metadata }: KubeObject): 'Foreground' | 'Background' | 'Orphan' {
  const finalizers = metadata.finalizers ?? [];
  if (finalizers.includes(ORPHAN_FINALIZER)) return 'Orphan';
  return finalizers.includes(FOREGROUND_FINALIZER) ? 'Foreground' : 'Background';
}

/** Whether an object waits for its dependents in the given way. */
export function awaits({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(finalizer);
}

/** Whether the removal of `uid` waits for this dependent. */
export function blocks(dependent: KubeObject, uid: string): boolean {
  return (dependent.metadata.ownerReferences ?? []).some(
    (reference) => reference.uid === uid && reference.blockOwnerDeletion === true,
  );
}
