import type { Stats } from 'node:fs';
import { lstat, mkdir, readlink, realpath, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Mounter } from './mounter.ts';
import { hasCode, OpenFolder, type OpenEntry } from './open-folder.ts';
import { openBelow } from './safe-path.ts';

const PARENT_MODE = 0o750;
const FILE_MODE = 0o640;
/** Mounts on one place that are taken off; more than one is there only where somebody else mounted. */
const MAX_MOUNTS = 8;

/**
 * Mounts a sub-path of a volume at a place of our own, which a container can be given: what the path leads to is
 * opened step by step, and what was opened is mounted. A place where it is mounted already is left alone, and costs no
 * program; one where another file is mounted is made anew.
 *
 * @param volume where the volume is on the host; a symbolic link there is followed
 * @param subPath relative; folders that are missing are made, with the mode of the volume
 * @returns where it is: `target`, or where nothing can be mounted its own path, which is as it is now
 * Errors: those of `openBelow`, MountError, those of the system.
 * Source: kubelet, volume/util/subpath doBindSubPath.
 */
export async function bindSubPath(
  volume: string,
  subPath: string,
  target: string,
  mounter: Mounter,
): Promise<string> {
  const base = await realpath(volume);
  const { mode } = await stat(base);
  const entry = await openBelow(base, subPath, mode);
  try {
    if (mounter.isIdle === true) return await readlink(`/proc/self/fd/${entry.fd}`);
    const wanted = await entry.stat();
    const there = await statOf(target);
    if (there !== undefined && isSame(there, wanted)) return target;
    await prepareTarget(target, wanted, mounter);
    await mounter.bind(entry, target);
    const mounted = await lstat(target);
    if (!isSame(mounted, wanted)) throw new Error('mount(8) has mounted another file than it was given');
    return target;
  } finally {
    await entry.close();
  }
}

/** What we make there ourselves is never the file that is to be mounted, so that equal means: mounted. */
function isSame(left: Stats, right: Stats): boolean {
  return left.ino === right.ino && left.dev === right.dev;
}

async function statOf(file: string): Promise<Stats | undefined> {
  try {
    return await lstat(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A folder for a folder, a file for anything else. */
async function prepareTarget(target: string, wanted: Stats, mounter: Mounter): Promise<void> {
  const parentPath = path.dirname(target);
  await mkdir(parentPath, { recursive: true, mode: PARENT_MODE });
  const parent = await OpenFolder.open(parentPath);
  try {
    await unmountTarget(parent, target, mounter);
  } finally {
    await parent.close();
  }
  const there = await statOf(target);
  if (there !== undefined && there.isDirectory() !== wanted.isDirectory()) {
    await (there.isDirectory() ? rmdir(target) : rm(target));
  }
  if (there?.isDirectory() === wanted.isDirectory()) return;
  if (wanted.isDirectory()) await mkdir(target, { mode: PARENT_MODE });
  else await writeFile(target, '', { flag: 'wx', mode: FILE_MODE });
}

async function unmountTarget(parent: OpenFolder, target: string, mounter: Mounter): Promise<void> {
  const own = parent.mountId();
  for (let count = 0; (await mountOf(parent, path.basename(target))) !== own; count += 1) {
    if (count === MAX_MOUNTS) throw new Error('more is mounted there than can be taken off');
    await mounter.unmount([target]);
  }
}

/** The mount that an entry is on; that of the folder where there is none. */
async function mountOf(parent: OpenFolder, name: string): Promise<number> {
  let entry: OpenEntry;
  try {
    entry = await parent.entry(name);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return parent.mountId();
    throw error;
  }
  try {
    return entry.mountId();
  } finally {
    await entry.close();
  }
}
