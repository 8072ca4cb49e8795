import {
  controllerOf,
  controllerReference,
  isControlledBy,
  type KubeObject,
  type LabelSelector,
  type ResourceClient,
} from '@hawser/kube';
import { unlessGone } from './context.ts';

/** What a controller does with one object that it might own. */
export type Claim = 'keep' | 'adopt' | 'release' | 'ignore';

/**
 * Whether `object` is the owner's: kept if it is and fits the selector, adopted if it is nobody's and fits, released
 * if it is and does not fit any more. Source: kubernetes pkg/controller ControllerRefManager.ClaimObject.
 */
export function claimOf(owner: KubeObject, selector: LabelSelector, object: KubeObject): Claim {
  const fits = selector.matches(object.metadata.labels);
  const ownerEnds = owner.metadata.deletionTimestamp !== undefined;
  if (controllerOf(object) !== undefined) {
    if (!isControlledBy(object, owner)) return 'ignore';
    if (fits) return 'keep';
    return ownerEnds ? 'ignore' : 'release';
  }
  const objectEnds = object.metadata.deletionTimestamp !== undefined;
  return fits && !ownerEnds && !objectEnds ? 'adopt' : 'ignore';
}

/** What claiming needs. */
export interface ClaimOptions<T extends KubeObject> {
  readonly owner: KubeObject;
  readonly selector: LabelSelector;
  readonly client: ResourceClient<T>;
  readonly signal: AbortSignal;
  /** The owner as the server has it now: an owner from the cache may be gone, or another by the same name. */
  readonly freshOwner: () => Promise<KubeObject | undefined>;
}

/** Adopts and releases until ownership is as it should be; returns what the owner has then. */
export async function claimObjects<T extends KubeObject>(
  objects: readonly T[],
  options: ClaimOptions<T>,
): Promise<T[]> {
  const { owner, selector, client, signal } = options;
  const claimed: T[] = [];
  let mayAdopt: boolean | undefined;
  for (const object of objects) {
    const claim = claimOf(owner, selector, object);
    if (claim === 'keep') claimed.push(object);
    else if (claim === 'release') await release(owner, object, client, signal);
    else if (claim === 'adopt') {
      mayAdopt ??= await stillLives(options);
      if (!mayAdopt) continue;
      const { namespace = '', name = '', uid } = object.metadata;
      const body = { metadata: { uid, ownerReferences: [controllerReference(owner)] } };
      const adopted = await unlessGone(client.patch(namespace, name, 'strategic', body, { signal }));
      if (adopted !== undefined) claimed.push(adopted);
    }
  }
  return claimed;
}

async function stillLives({
  owner,
  freshOwner,
}: Pick<ClaimOptions<KubeObject>, 'owner' | 'freshOwner'>): Promise<boolean> {
  const fresh = await freshOwner();
  return fresh?.metadata.uid === owner.metadata.uid && fresh?.metadata.deletionTimestamp === undefined;
}

async function release<T extends KubeObject>(
  owner: KubeObject,
  object: T,
  client: ResourceClient<T>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '', uid } = object.metadata;
  const body = { metadata: { uid, ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }] } };
  await unlessGone(client.patch(namespace, name, 'strategic', body, { signal }));
}
