import { chmod, mkdir, readlink } from 'node:fs/promises';
import { hasCode, OpenFolder, type OpenEntry } from './open-folder.ts';

/** A path leads out of where it must stay, or cannot be followed. */
export class UnsafePathError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnsafePathError';
  }
}

/** A folder of a path that is missing cannot be made. */
export class MakeFolderError extends Error {
  constructor(message: string, options: ErrorOptions) {
    super(message, options);
    this.name = 'MakeFolderError';
  }
}

/** Source: Linux, MAXSYMLINKS. */
const MAX_LINKS = 40;
/** Folders that are held open at a time. */
const MAX_DEPTH = 256;

/**
 * Opens a path below a folder, and makes the folders of it that are missing. Symbolic links are followed only where
 * they lead to a place below the folder; each step starts from the folder that is held open, so that nothing that a
 * container swaps meanwhile leads out.
 *
 * @param base absolute; its own last part may be no symbolic link
 * @param path relative
 * @param mode of folders that are made, with the bits for setgid and the like
 * @returns the caller closes it
 * @throws UnsafePathError it leads out, there are too many links or folders, or a part of it is a file
 * @throws MakeFolderError
 * Errors: those of the system.
 * Source: kubelet, volume/util/subpath doSafeOpen, doSafeMakeDir; openat2(2), RESOLVE_BENEATH.
 */
export async function openBelow(base: string, path: string, mode: number): Promise<OpenEntry> {
  const walk = new Walk(path, mode);
  walk.held.push(await OpenFolder.open(base));
  let found: OpenEntry | undefined;
  try {
    found = await walk.toEnd();
    return found;
  } finally {
    for (const folder of walk.held) if (folder !== found) await folder.close();
  }
}

class Walk {
  /** From the base to where we are. */
  readonly held: OpenFolder[] = [];
  readonly #path: string;
  readonly #mode: number;
  /** Parts that are left, the next one last. */
  readonly #parts: string[];
  #links = 0;

  constructor(path: string, mode: number) {
    this.#path = path;
    this.#mode = mode;
    this.#parts = path.split('/').toReversed();
  }

  async toEnd(): Promise<OpenEntry> {
    if (this.#parts.length > MAX_DEPTH) throw this.#unsafe(`has more than ${MAX_DEPTH} parts`);
    for (;;) {
      const here = this.#here();
      const part = this.#parts.pop();
      if (part === undefined) return here;
      if (part === '' || part === '.') continue;
      if (part === '..') await this.#up();
      else {
        const file = await this.#down(here, part);
        if (file !== undefined) return file;
      }
    }
  }

  #here(): OpenFolder {
    const here = this.held.at(-1);
    if (here === undefined) throw this.#unsafe('leads out of the volume'); // the base is never taken off
    return here;
  }

  async #up(): Promise<void> {
    if (this.held.length === 1) throw this.#unsafe('leads out of the volume');
    await this.held.pop()?.close();
  }

  /** Goes into a folder, or puts what a link says in its place. @returns what is no folder, where the path ends */
  async #down(here: OpenFolder, part: string): Promise<OpenEntry | undefined> {
    if (this.held.length > MAX_DEPTH) throw this.#unsafe(`has more than ${MAX_DEPTH} parts`);
    const folder = await this.#folder(here, part);
    if (folder !== undefined) {
      this.held.push(folder);
      return undefined;
    }
    const entry = await here.entry(part);
    let kept = false;
    try {
      if ((await entry.stat()).isSymbolicLink()) {
        this.#follow(await readlink(here.at(part), 'utf8'));
        return undefined;
      }
      if (this.#parts.some((rest) => rest !== '' && rest !== '.')) throw this.#unsafe(`goes through a file`);
      kept = true;
      return entry;
    } finally {
      if (!kept) await entry.close();
    }
  }

  #follow(target: string): void {
    this.#links += 1;
    if (this.#links > MAX_LINKS) throw this.#unsafe('has too many links');
    if (target.startsWith('/')) throw this.#unsafe('leads out of the volume');
    this.#parts.push(...target.split('/').toReversed());
  }

  /** undefined: there is something else. */
  async #folder(here: OpenFolder, part: string): Promise<OpenFolder | undefined> {
    try {
      return await here.folder(part);
    } catch (error) {
      if (hasCode(error, 'ENOTDIR', 'ELOOP')) return undefined;
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    return this.#make(here, part);
  }

  async #make(here: OpenFolder, part: string): Promise<OpenFolder> {
    try {
      await mkdir(here.at(part), this.#mode & 0o777);
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return here.folder(part); // somebody was faster, and had better made a folder
      throw new MakeFolderError(`a folder of the path ${this.#path} cannot be made`, { cause: error });
    }
    const made = await here.folder(part);
    try {
      // The mode was subject to the umask. It is the folder that is held, whatever its name leads to by now.
      await chmod(made.path, this.#mode & 0o7777);
    } catch (error) {
      await made.close();
      throw error;
    }
    return made;
  }

  #unsafe(what: string): UnsafePathError {
    return new UnsafePathError(`the path ${this.#path} ${what}`);
  }
}
