import { chmod, lstat, mkdir, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { giveFolder } from './fs-group.ts';
import type { Mounter } from './mounter.ts';
import { hasCode } from './open-folder.ts';
import { VolumeError } from './volume-error.ts';

/** What a folder of a volume is to be like. */
export interface VolumeFolderWish {
  readonly folder: string;
  /** In memory: a mount of its own. `sizeBytes` absent: half of the machine's memory. */
  readonly memory: { readonly sizeBytes?: bigint } | undefined;
  /** From `fsGroup`. */
  readonly gid: number | undefined;
  /** The group may only read. */
  readonly readOnly: boolean;
}

/** Anybody may write there: containers run as whom they like. */
const VOLUME_MODE = 0o777;
const PARENT_MODE = 0o750;
/** Source: Linux, TMPFS_MAGIC. */
const TMPFS = 0x01021994;

/**
 * Makes the folder of a volume, and mounts memory on it. What is right already stays.
 * @throws VolumeError, MountError
 */
export async function makeVolumeFolder(wish: VolumeFolderWish, mounter: Mounter): Promise<void> {
  const { folder, memory, gid, readOnly } = wish;
  await mkdir(path.dirname(folder), { recursive: true, mode: PARENT_MODE });
  await mkdir(folder).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
  });
  if (memory !== undefined) {
    if (!(await isInMemory(folder))) await mounter.tmpfs(folder, memory.sizeBytes);
    // Secrets are written there next.
    if (mounter.isIdle !== true && !(await isInMemory(folder)))
      throw new VolumeError('no memory is mounted, though mount(8) said so');
  } else if (((await lstat(folder)).mode & 0o777) !== VOLUME_MODE) {
    await chmod(folder, VOLUME_MODE); // whatever the umask was
  }
  if (gid !== undefined) await giveFolder(folder, { gid, readOnly });
}

/** Whether a folder is a mount of memory of its own. */
export async function isInMemory(folder: string): Promise<boolean> {
  const [own, parent, system] = await Promise.all([
    lstat(folder),
    lstat(path.dirname(folder)),
    statfs(folder),
  ]);
  return own.dev !== parent.dev && system.type === TMPFS;
}

/** Whether something is at a path. */
export async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Remembers on the disk that a volume was made ready, so that a later life does not do it again. */
export async function writeMarker(file: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: PARENT_MODE });
  await writeFile(file, '');
}
