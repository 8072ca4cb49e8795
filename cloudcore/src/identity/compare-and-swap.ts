import { StatusError, type KubeObject, type ResourceClient } from '@hawser/kube';
import { delay, systemClock, systemRandom, type Clock, type Random } from '@hawser/seams';

/** Attempts against other writers of the same object. */
const ATTEMPTS = 20;
/** Upper bound of the pause before the second attempt, milliseconds; it grows with each. */
const PAUSE_MS = 10;

/** Where {@link compareAndSwap} works. */
export interface SwapTarget {
  readonly resource: ResourceClient;
  readonly namespace: string;
  readonly name: string;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * Reads an object, lets `change` decide what it is to become, and writes that only if nobody else has written since;
 * otherwise from the beginning, with what is there then.
 *
 * @param change gets the object as it is, undefined where there is none; answers the new one, or undefined to leave
 *   all as it is. What it throws ends the operation.
 * @returns what was written, or what is there where nothing was to be
 * @throws StatusError (409 after 20 attempts); the errors of `ApiClient`; those of `change`
 */
export async function compareAndSwap(
  target: SwapTarget,
  change: (present: KubeObject | undefined) => Promise<KubeObject | undefined> | KubeObject | undefined,
): Promise<KubeObject | undefined> {
  const { clock = systemClock, random = systemRandom } = target;
  for (let attempt = 1; ; attempt++) {
    const present = await read(target);
    const wanted = await change(present);
    if (wanted === undefined) return present;
    try {
      return present === undefined
        ? await target.resource.create(wanted)
        : await target.resource.update({
            ...wanted,
            metadata: { ...wanted.metadata, resourceVersion: present.metadata.resourceVersion ?? '' },
          });
    } catch (error) {
      if (attempt === ATTEMPTS || !isRace(error)) throw error;
    }
    await delay(random.next() * attempt * PAUSE_MS, { clock });
  }
}

async function read({ resource, namespace, name }: SwapTarget): Promise<KubeObject | undefined> {
  try {
    return await resource.get(namespace, name);
  } catch (error) {
    if (error instanceof StatusError && error.status.code === 404) return undefined;
    throw error;
  }
}

/** Somebody else wrote, made or deleted it meanwhile. */
function isRace(error: unknown): boolean {
  return error instanceof StatusError && (error.status.code === 409 || error.status.code === 404);
}
