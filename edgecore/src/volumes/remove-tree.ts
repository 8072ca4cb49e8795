import { rename, rmdir, unlink } from 'node:fs/promises';
import { hasCode, type OpenFolder, type EntryName } from './open-folder.ts';
import { TreeError } from './tree-walk.ts';

/** Folders in each other that are held open at a time; what is deeper is moved up first. */
const MAX_DEPTH = 32;
/** How often a folder is emptied again that something else fills meanwhile. */
const MAX_PASSES = 16;

/**
 * Removes a folder with everything in it, or a file, in a folder that nobody else writes to. Never follows a symbolic
 * link, never goes where something is mounted, whatever is done with the tree meanwhile; any depth, with few open
 * files. Not there: nothing to do.
 * @throws TreeError something is mounted in there, or it does not get empty
 * Errors: those of the system, and `signal.reason`; what could be removed is gone then.
 */
export async function removeTree(parent: OpenFolder, name: EntryName, signal: AbortSignal): Promise<void> {
  let top: OpenFolder;
  try {
    top = await parent.folder(name);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    if (!hasCode(error, 'ENOTDIR', 'ELOOP')) throw error;
    await unlink(parent.at(name));
    return;
  }
  try {
    const mountId = parent.mountId();
    if (top.mountId() !== mountId) throw mounted();
    await new Removal(top, mountId, signal).empty();
  } finally {
    await top.close();
  }
  await rmdir(parent.at(name));
}

/** The removal of one tree. */
class Removal {
  readonly #top: OpenFolder;
  readonly #mountId: number;
  readonly #signal: AbortSignal;
  /** Entries that were removed or moved so far. */
  #progress = 0;
  #moved = 0;

  constructor(top: OpenFolder, mountId: number, signal: AbortSignal) {
    this.#top = top;
    this.#mountId = mountId;
    this.#signal = signal;
  }

  /** Goes on for as long as something goes away: each pass takes off the top what was too deep in the one before. */
  async empty(): Promise<void> {
    let before: number;
    do {
      before = this.#progress;
      await this.#emptyFolder(this.#top, 0);
    } while (this.#progress > before);
  }

  async #emptyFolder(folder: OpenFolder, depth: number): Promise<void> {
    this.#signal.throwIfAborted();
    await folder.forEach(async (entry) => {
      if (entry.isDirectory()) await this.#removeFolder(folder, entry.name, depth);
      else await this.#removeFile(folder, entry.name);
    });
  }

  async #removeFile(parent: OpenFolder, name: EntryName): Promise<void> {
    try {
      await unlink(parent.at(name));
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      // It has become a folder meanwhile: the next pass sees it as one.
      if (!hasCode(error, 'EISDIR') && !(hasCode(error, 'EPERM') && (await isFolder(parent, name))))
        throw error;
    }
    this.#progress += 1;
  }

  async #removeFolder(parent: OpenFolder, name: EntryName, depth: number): Promise<void> {
    let folder: OpenFolder;
    try {
      folder = await parent.folder(name);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      if (!hasCode(error, 'ENOTDIR', 'ELOOP')) throw error;
      await this.#removeFile(parent, name); // it was a folder a moment ago
      return;
    }
    try {
      if (folder.mountId() !== this.#mountId) throw mounted();
      if (depth === MAX_DEPTH) {
        await this.#moveUp(parent, name);
        return;
      }
      await this.#removeHeld(parent, name, folder, depth);
    } finally {
      await folder.close();
    }
  }

  async #removeHeld(parent: OpenFolder, name: EntryName, folder: OpenFolder, depth: number): Promise<void> {
    for (let pass = 1; ; pass += 1) {
      await this.#emptyFolder(folder, depth + 1);
      try {
        await rmdir(parent.at(name));
        this.#progress += 1;
        return;
      } catch (error) {
        if (hasCode(error, 'ENOENT', 'ENOTDIR')) return;
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
        if (pass === MAX_PASSES) throw new TreeError('something fills it while it is removed');
      }
    }
  }

  /** Into the topmost folder, under a name of our own, so that depth needs no open files. */
  async #moveUp(parent: OpenFolder, name: EntryName): Promise<void> {
    for (;;) {
      this.#moved += 1;
      try {
        await rename(parent.at(name), this.#top.at(`.removed-${this.#moved}`));
        this.#progress += 1;
        return;
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return;
        // The name is taken.
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
      }
    }
  }
}

async function isFolder(parent: OpenFolder, name: EntryName): Promise<boolean> {
  const entry = await parent.entry(name).catch(() => undefined);
  if (entry === undefined) return true; // gone: look again
  try {
    return (await entry.stat()).isDirectory();
  } finally {
    await entry.close();
  }
}

function mounted(): TreeError {
  return new TreeError('something is mounted in it');
}
