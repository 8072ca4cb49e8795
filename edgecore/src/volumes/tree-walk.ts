import type { Stats } from 'node:fs';
import { hasCode, type OpenFolder, type EntryName, type OpenEntry } from './open-folder.ts';

/** What is done with a tree. */
export interface TreeVisitor {
  /** A file of another type than a folder; called several at a time. */
  file(parent: OpenFolder, name: EntryName): Promise<void>;
  /** A folder, after everything in it; the root last of all. */
  folder(folder: OpenEntry, stat: Stats): Promise<void>;
}

/** A tree cannot be walked; the message says why. */
export class TreeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TreeError';
  }
}

/** Folders in folders; each level holds two handles. */
const MAX_DEPTH = 256;

/**
 * Visits a tree on one mount: never follows a symbolic link, never goes where something else is mounted, whatever a
 * container does with the tree meanwhile. What vanishes meanwhile is left out.
 * @throws TreeError it is deeper than 256 folders
 * Errors: those of the visitor; `signal.reason`.
 */
export async function walkTree(root: OpenFolder, visitor: TreeVisitor, signal: AbortSignal): Promise<void> {
  await walk(root, root.mountId(), visitor, signal, 0);
}

async function walk(
  folder: OpenFolder,
  mountId: number,
  visitor: TreeVisitor,
  signal: AbortSignal,
  depth: number,
): Promise<void> {
  if (depth > MAX_DEPTH) throw new TreeError(`it has more than ${MAX_DEPTH} folders in each other`);
  signal.throwIfAborted();
  await folder.forEach(async (entry) => {
    if (!entry.isDirectory()) {
      await visitor.file(folder, entry.name);
      return;
    }
    const child = await openFolder(folder, entry.name);
    if (child === undefined) return;
    try {
      if (child.mountId() === mountId) await walk(child, mountId, visitor, signal, depth + 1);
    } finally {
      await child.close();
    }
  });
  await visitor.folder(folder, await folder.stat());
}

/** undefined: it is gone, or no folder any more. */
async function openFolder(parent: OpenFolder, name: EntryName): Promise<OpenFolder | undefined> {
  try {
    return await parent.folder(name);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
