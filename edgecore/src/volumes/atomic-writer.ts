import { createHash, randomBytes } from 'node:crypto';
import {
  chmod,
  lchown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  symlink,
  unlink,
} from 'node:fs/promises';
import path from 'node:path';
import { fsGroupMode, giveFolder } from './fs-group.ts';
import { hasCode, OpenFolder } from './open-folder.ts';
import { removeTree } from './remove-tree.ts';

/** One file of a volume. */
export interface VolumeFile {
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  /** Default: root. */
  readonly uid?: number;
}

/** The files of a volume by path. */
export type Payload = ReadonlyMap<string, VolumeFile>;

/** A path that no file of a volume can have; the message is a kubelet's. */
export class PayloadPathError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PayloadPathError';
  }
}

/** The link that is swapped. Programs watch it for changes. */
const DATA = '..data';
const NEW_DATA = '..data_tmp';
const MAX_PATH = 4096;
const MAX_NAME = 255;
const SAME = 0xffffffff;

/**
 * Shows sets of files in a folder, each set at once: the files are in a folder of their own, `..data` is a link to it
 * that is replaced by rename(2), and what users see are links through `..data`. Where nothing differs, nothing is
 * written. One call at a time.
 *
 * Not synced: what a power cut leaves half-written is seen to differ, and written again, before a container starts.
 * Source: kubelet, volume/util AtomicWriter.
 */
export class AtomicWriter {
  readonly #folder: string;
  readonly #gid: number | undefined;
  /** Of the files that are shown; undefined: not known yet. */
  #shown: string | undefined;

  /** @param gid group of the files, which gets the rights of `fsGroup` */
  constructor(folder: string, gid?: number) {
    this.#folder = folder;
    this.#gid = gid;
  }

  /**
   * @returns whether anything was written
   * @throws PayloadPathError
   * Errors: those of the system; what was shown before still is.
   */
  async write(files: Payload, now: Date, signal: AbortSignal): Promise<boolean> {
    const payload = cleanPayload(files);
    const digest = digestOf(payload);
    if (this.#shown === digest) return false;
    const old = await this.#current();
    if (this.#shown === undefined) {
      await this.#removeRemains(old, signal);
      if (old !== undefined && (await this.#isAsOnDisk(payload, old))) {
        await this.#link(payload);
        await this.#unlinkOthers(payload);
        this.#shown = digest;
        return false;
      }
    }
    const next = await this.#fill(payload, now, signal);
    await this.#link(payload);
    await this.#swap(next);
    this.#shown = digest;
    await this.#unlinkOthers(payload);
    if (old !== undefined) await this.#remove(old, signal);
    return true;
  }

  /** Name of the folder that is shown. */
  async #current(): Promise<string | undefined> {
    try {
      return await readlink(path.join(this.#folder, DATA), 'utf8');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** What a life before has left half-done. */
  async #removeRemains(current: string | undefined, signal: AbortSignal): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith('..') && name !== DATA && name !== current) await this.#remove(name, signal);
    }
  }

  async #isAsOnDisk(payload: Payload, shown: string): Promise<boolean> {
    const folder = path.join(this.#folder, shown);
    try {
      const found = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
        (entry) => !entry.isDirectory(),
      );
      if (found.length !== payload.size) return false;
      for (const [name, file] of payload)
        if (!(await this.#isSame(path.join(folder, name), file))) return false;
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  }

  async #isSame(file: string, { data, mode, uid = 0 }: VolumeFile): Promise<boolean> {
    const stat = await lstat(file);
    const group = this.#gid ?? stat.gid;
    if (!stat.isFile() || stat.size !== data.length || stat.uid !== uid || stat.gid !== group) return false;
    if ((stat.mode & 0o7777) !== this.#fileMode(mode)) return false;
    return Buffer.compare(await readFile(file), data) === 0;
  }

  /** Writes the files into a folder of their own. @returns its name */
  async #fill(payload: Payload, now: Date, signal: AbortSignal): Promise<string> {
    const stamp = now.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_');
    const name = `..${stamp}.${randomBytes(5).readUIntBE(0, 5)}`;
    try {
      const made = new Set<string>(['.']);
      await this.#makeFolder(path.join(this.#folder, name));
      for (const [file, content] of payload) {
        signal.throwIfAborted();
        await this.#makeParents(name, path.dirname(file), made);
        await this.#writeFile(path.join(this.#folder, name, file), content);
      }
    } catch (error) {
      await this.#remove(name, signal).catch(() => {
        // Removed with the remains, by the next life at the latest; what counts is why it came to this.
        this.#shown = undefined;
      });
      throw error;
    }
    return name;
  }

  async #makeParents(name: string, folder: string, made: Set<string>): Promise<void> {
    if (made.has(folder)) return;
    await this.#makeParents(name, path.dirname(folder), made);
    await this.#makeFolder(path.join(this.#folder, name, folder));
    made.add(folder);
  }

  async #makeFolder(folder: string): Promise<void> {
    await mkdir(folder);
    await chmod(folder, 0o755); // whatever the umask is
    if (this.#gid !== undefined) await giveFolder(folder, { gid: this.#gid, readOnly: true });
  }

  async #writeFile(file: string, { data, mode, uid }: VolumeFile): Promise<void> {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(data);
      if (this.#gid !== undefined || uid !== undefined) await handle.chown(uid ?? SAME, this.#gid ?? SAME);
      await handle.chmod(this.#fileMode(mode));
    } finally {
      await handle.close();
    }
  }

  #fileMode(mode: number): number {
    return this.#gid === undefined ? mode & 0o7777 : fsGroupMode(mode, false, true);
  }

  /** Links for what users see: the first part of each path. */
  async #link(payload: Payload): Promise<void> {
    for (const name of topNames(payload)) await this.#symlink(`${DATA}/${name}`, name);
  }

  async #symlink(target: string, name: string): Promise<void> {
    const link = path.join(this.#folder, name);
    try {
      await symlink(target, link);
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return;
      throw error;
    }
    if (this.#gid !== undefined) await lchown(link, SAME, this.#gid);
  }

  async #swap(name: string): Promise<void> {
    const link = path.join(this.#folder, NEW_DATA);
    await unlink(link).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    await this.#symlink(name, NEW_DATA);
    await rename(link, path.join(this.#folder, DATA));
  }

  /** Links to what is not there any more. */
  async #unlinkOthers(payload: Payload): Promise<void> {
    const names = topNames(payload);
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      if (!entry.isSymbolicLink() || entry.name === DATA || names.has(entry.name)) continue;
      await unlink(path.join(this.#folder, entry.name));
    }
  }

  async #remove(name: string, signal: AbortSignal): Promise<void> {
    const folder = await OpenFolder.open(this.#folder);
    try {
      await removeTree(folder, name, signal);
    } finally {
      await folder.close();
    }
  }
}

/**
 * Checks the paths, and brings them into one form.
 * @throws PayloadPathError with the words of a kubelet's validatePath
 */
export function cleanPayload(files: Payload): Payload {
  const clean = new Map<string, VolumeFile>();
  for (const [name, file] of files) {
    checkPath(name);
    clean.set(path.posix.normalize(name).replace(/\/$/, ''), file);
  }
  return clean;
}

function checkPath(name: string): void {
  const fail = (what: string): never => {
    throw new PayloadPathError(`invalid path: ${what}`);
  };
  if (name === '') fail('must not be empty: ""');
  if (name.startsWith('/')) fail(`must be relative path: ${name}`);
  if (Buffer.byteLength(name) > MAX_PATH) fail(`must be less than or equal to ${MAX_PATH} characters`);
  const parts = name.split('/');
  if (parts.includes('..')) fail(`must not contain '..': ${name}`);
  if (parts.some((part) => Buffer.byteLength(part) > MAX_NAME)) {
    fail(`filenames must be less than or equal to ${MAX_NAME} characters`);
  }
  if (name.startsWith('..')) fail(`must not start with '..': ${name}`);
  // What is left of these is no name: "." and "./..x", which a kubelet would write over its own.
  const clean = path.posix.normalize(name);
  if (clean === '.' || clean === './') fail(`must name a file: ${name}`);
  if (clean.startsWith('..')) fail(`must not start with '..': ${name}`);
  if (name.includes('\0')) fail('must not contain NUL');
}

function topNames(payload: Payload): ReadonlySet<string> {
  return new Set([...payload.keys()].map((name) => name.split('/', 1)[0] ?? name));
}

/** Of everything that shows: paths, modes, owners, contents. */
function digestOf(payload: Payload): string {
  const hash = createHash('sha256');
  for (const [name, { data, mode, uid }] of [...payload].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(JSON.stringify([name, mode, uid ?? null, data.length])).update(data);
  }
  return hash.digest('base64');
}
