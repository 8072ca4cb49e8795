import { mkdir, open, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import type { HostPathSource } from '../pods/volume-source.ts';
import { hasCode } from './open-folder.ts';
import { VolumeError } from './volume-error.ts';

type FileType = 'directory' | 'file' | 'socket file' | 'character device' | 'block device';

const TYPES: Readonly<Record<string, FileType>> = {
  DirectoryOrCreate: 'directory',
  Directory: 'directory',
  FileOrCreate: 'file',
  File: 'file',
  Socket: 'socket file',
  CharDevice: 'character device',
  BlockDevice: 'block device',
};

/**
 * Checks that the path of a hostPath volume is what the pod expects, and makes it where it may. Symbolic links are
 * followed: it is the host's own tree.
 * @throws VolumeError with a kubelet's words
 * Source: kubelet, volume/hostpath.
 */
export async function checkHostPath({ path, type = '' }: HostPathSource): Promise<void> {
  if (path.split('/').includes('..'))
    throw new VolumeError(`invalid HostPath \`${path}\`: must not contain '..'`);
  if (type === '') return;
  const wanted = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (wanted === undefined) throw new VolumeError(`${type} is an invalid volume type`);
  let found = await typeOf(path);
  if (found === undefined && type.endsWith('OrCreate')) {
    await (wanted === 'directory' ? mkdir(path, { recursive: true, mode: 0o755 }) : makeFile(path));
    found = await typeOf(path);
  }
  if (found !== wanted) {
    const article = wanted === 'directory' ? 'a directory' : `a ${wanted}`;
    throw new VolumeError(`hostPath type check failed: ${path} is not ${article}`);
  }
}

/** What a path leads to; undefined: nothing is there. `other`: a pipe, or a type that is not known. */
export async function typeOf(path: string): Promise<FileType | 'other' | undefined> {
  let found: Stats;
  try {
    found = await stat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  if (found.isDirectory()) return 'directory';
  if (found.isFile()) return 'file';
  if (found.isSocket()) return 'socket file';
  if (found.isCharacterDevice()) return 'character device';
  return found.isBlockDevice() ? 'block device' : 'other';
}

async function makeFile(path: string): Promise<void> {
  const file = await open(path, 'a', 0o644);
  await file.close();
}
