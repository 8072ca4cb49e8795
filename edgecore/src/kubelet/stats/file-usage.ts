import { readdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';

/** Use of a file system, or of a part of one. Source: kubelet stats/v1alpha1 FsStats. */
export interface FileUsage {
  readonly time: string;
  readonly availableBytes?: number;
  readonly capacityBytes?: number;
  readonly usedBytes?: number;
  readonly inodesFree?: number;
  readonly inodes?: number;
  readonly inodesUsed?: number;
}

/** Source: statfs(2), TMPFS_MAGIC. */
const TMPFS = 0x01021994;
/** Source: stat(2), st_blocks. */
const BLOCK_BYTES = 512;

/** Use of the whole file system that a path is on. @throws what the file system says */
export async function fileSystemUsage(at: string, time: string): Promise<FileUsage> {
  const { blocks, bsize, bavail, bfree, files, ffree } = await statfs(at);
  return {
    time,
    availableBytes: bavail * bsize,
    capacityBytes: blocks * bsize,
    usedBytes: (blocks - bfree) * bsize,
    inodesFree: ffree,
    inodes: files,
    inodesUsed: files - ffree,
  };
}

/** Use of a volume in memory, which is a file system of its own; undefined: it is on a disk, or not there. */
export async function memoryVolumeUsage(folder: string, time: string): Promise<FileUsage | undefined> {
  try {
    const { type } = await statfs(folder);
    return type === TMPFS ? await fileSystemUsage(folder, time) : undefined;
  } catch {
    return undefined; // not mounted yet, or not any more
  }
}

/** What the files of one folder occupy, without those below it; undefined: it is not there. */
export async function folderUsage(folder: string, time: string): Promise<FileUsage | undefined> {
  try {
    const names = await readdir(folder);
    let usedBytes = 0;
    for (const name of names) usedBytes += (await stat(path.join(folder, name))).blocks * BLOCK_BYTES;
    return { time, usedBytes, inodesUsed: names.length };
  } catch {
    return undefined; // removed, or rotated just now
  }
}
