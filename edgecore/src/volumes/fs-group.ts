import { chmod, chown, lchown } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { hasCode, OpenFolder, type EntryName, type OpenEntry } from './open-folder.ts';
import { walkTree } from './tree-walk.ts';

/** Whom the files of a volume are given to. */
export interface FsGroup {
  readonly gid: number;
  /** The group may only read. */
  readonly readOnly: boolean;
  /** Nothing is done where the volume's own folder is right already. Default: always everything. */
  readonly onRootMismatch?: boolean;
}

const READ = 0o440;
const WRITE = 0o660;
const ENTER = 0o110;
const SETGID = 0o2000;
/** chown(2): leave it as it is. */
const SAME = 0xffffffff;

/** Bits that a file or folder gets beside those that it has. Source: kubelet, volume_linux.go changeFilePermission. */
export function fsGroupMode(mode: number, isFolder: boolean, readOnly: boolean): number {
  return (mode & 0o7777) | (readOnly ? READ : WRITE) | (isFolder ? ENTER | SETGID : 0);
}

/**
 * Gives a volume's files to a group: group, its rights, and the bit that hands the group down on folders; its own
 * folder last, so that an interrupted run is seen. Never follows a symbolic link and never goes where something else
 * is mounted, whatever containers do meanwhile; what is right already is not written.
 *
 * Source: kubelet, volume_linux.go; KEP-695 (fsGroupChangePolicy).
 * Errors: those of the system, `TreeError`, `signal.reason`.
 */
export async function applyFsGroup(path: string, group: FsGroup, signal: AbortSignal): Promise<void> {
  const root = await OpenFolder.open(path);
  try {
    const stat = await root.stat();
    if (group.onRootMismatch === true && isRight(stat, group)) return;
    const own = stat.dev;
    await walkTree(
      root,
      {
        file: (parent, name) => giveFile(parent, name, own, group),
        folder: (folder, folderStat) => give(folder, folderStat, group),
      },
      signal,
    );
  } finally {
    await root.close();
  }
}

/** Gives one folder, and nothing in it: one that was just made. */
export async function giveFolder(path: string, group: FsGroup): Promise<void> {
  const folder = await OpenFolder.open(path);
  try {
    await give(folder, await folder.stat(), group);
  } finally {
    await folder.close();
  }
}

async function giveFile(parent: OpenFolder, name: EntryName, device: number, group: FsGroup): Promise<void> {
  let entry: OpenEntry;
  try {
    entry = await parent.entry(name);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  try {
    const stat = await entry.stat();
    // A folder was made in its place, or another file is mounted on it.
    if (stat.isDirectory() || stat.dev !== device) return;
    if (stat.isSymbolicLink()) await giveLink(parent, name, stat, group);
    else await give(entry, stat, group);
  } finally {
    await entry.close();
  }
}

/** A link has an owner, and no mode of its own. */
async function giveLink(parent: OpenFolder, name: EntryName, stat: Stats, { gid }: FsGroup): Promise<void> {
  if (stat.gid === gid) return;
  try {
    await lchown(parent.at(name), SAME, gid);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

async function give(entry: OpenEntry, stat: Stats, { gid, readOnly }: FsGroup): Promise<void> {
  const mode = fsGroupMode(stat.mode, stat.isDirectory(), readOnly);
  const changes = stat.gid !== gid;
  if (changes) await chown(entry.path, SAME, gid);
  // chown(2) takes setuid and setgid away.
  if (mode !== (stat.mode & 0o7777) || (changes && (mode & 0o6000) !== 0)) await chmod(entry.path, mode);
}

function isRight(stat: Stats, { gid, readOnly }: FsGroup): boolean {
  const needed = (readOnly ? READ : WRITE) | ENTER | SETGID;
  return stat.gid === gid && (stat.mode & needed) === needed;
}
