import { delay, type Clock, type Logger } from '@hawser/seams';
import { PodError } from '../pods/pod-error.ts';
import { mountsBelow } from './mount-table.ts';
import type { Mounter } from './mounter.ts';
import { OpenFolder } from './open-folder.ts';
import { removeTree } from './remove-tree.ts';
import { messageOf } from './volume-error.ts';

/** What {@link removePod} needs. */
export interface RemovePodOptions {
  /** Folder of all pods, without symbolic links. */
  readonly root: string;
  readonly uid: string;
  readonly mounter: Mounter;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Waits between attempts to unmount what is busy: a process that was killed may be on its way out. */
const WAITS_MS = [50, 200, 800] as const;

/**
 * Removes everything of a pod: unmounts what is mounted below its folder, the deepest first, then deletes the folder
 * without crossing a mount or following a link. Not there: nothing to do.
 *
 * What is still busy after a second is unmounted lazily, the last resort: it is out of the tree then, so that nothing
 * in it can be deleted, and ends with its last user. A volume in memory or a sub-path loses nothing that way.
 *
 * @throws PodError `FailedUnmount`
 * Errors: `signal.reason`.
 */
export async function removePod(options: RemovePodOptions, signal: AbortSignal): Promise<void> {
  try {
    await unmountAll(options, signal);
    const root = await OpenFolder.open(options.root);
    try {
      await removeTree(root, options.uid, signal);
    } finally {
      await root.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    const message = `UnmountVolume.TearDown failed for pod ${options.uid} : ${messageOf(error)}`;
    throw new PodError('FailedUnmount', message, { cause: error });
  }
}

async function unmountAll(
  { root, uid, mounter, clock, log }: RemovePodOptions,
  signal: AbortSignal,
): Promise<void> {
  const folder = `${root}/${uid}`;
  const unmount = async (lazy: boolean): Promise<readonly string[]> => {
    const mounts = await mountsBelow(folder);
    if (mounts.length === 0) return mounts;
    let failed: unknown;
    await mounter.unmount(mounts.toReversed(), lazy).catch((error: unknown) => {
      failed = error;
    });
    const rest = await mountsBelow(folder);
    if (rest.length > 0) log.debug({ uid, err: failed, mounts: rest }, 'mounts of a pod remain');
    if (rest.length > 0 && lazy)
      throw new Error(messageOf(failed ?? `${rest.join(', ')} cannot be unmounted`));
    return rest;
  };
  for (const waitMs of WAITS_MS) {
    if ((await unmount(false)).length === 0) return;
    await delay(waitMs, { clock, signal });
  }
  const rest = await unmount(false);
  if (rest.length === 0) return;
  log.warn({ uid, mounts: rest }, 'mounts of a pod that has ended are still used; they are unmounted lazily');
  await unmount(true);
}
