import { close, constants, fstat, open, readFileSync, type Stats } from 'node:fs';
import { opendir } from 'node:fs/promises';
import type { Dirent } from 'node:fs';
import { promisify } from 'node:util';

const openFd = promisify(open);
const closeFd = promisify(close);
const statFd = promisify(fstat);

/** Linux's O_PATH, which Node has no name for: a handle on a place in the tree, not on what is in a file. */
const O_PATH = 0o10000000;
const ENTRY = O_PATH | constants.O_NOFOLLOW;
const FOLDER = ENTRY | constants.O_DIRECTORY;
/** Operations on the entries of one folder that are under way at a time. */
const AT_ONCE = 16;

/** Name of an entry in a folder; bytes where it may be no text. */
export type EntryName = string | Buffer;

/**
 * A file of any type, held open, so that it stays the same one whatever its path leads to by now. Everything is done
 * through `/proc/self/fd`, which leads the kernel to the very file: Node has no openat(2), fchownat(2) and the like.
 * No operation on {@link path} may be under way when it is closed: the number is used again.
 */
export class OpenEntry {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Leads to the very file, in this process. */
  get path(): string {
    return `/proc/self/fd/${this.fd}`;
  }

  stat(): Promise<Stats> {
    return statFd(this.fd);
  }

  /** Which mount it is on: another one than its folder's where something is mounted on it. Source: proc(5), fdinfo. */
  mountId(): number {
    // The kernel answers from memory: no disk can make it wait.
    const text = readFileSync(`/proc/self/fdinfo/${this.fd}`, 'latin1');
    return Number(/^mnt_id:\s*(\d+)/m.exec(text)?.[1]);
  }

  close(): Promise<void> {
    return closeFd(this.fd);
  }
}

/** A folder, held open. What is below is reached entry by entry, never through a symbolic link. */
export class OpenFolder extends OpenEntry {
  /**
   * Opens a folder by its path. Only the last part of the path must not be a symbolic link.
   * Rejects with the error of open(2): `ENOENT`; `ENOTDIR`, `ELOOP` where it is no folder.
   */
  static async open(path: string): Promise<OpenFolder> {
    return new OpenFolder(await openFd(path, FOLDER));
  }

  /** Path of an entry, for operations that do not follow a link in its place. */
  at(name: EntryName): string | Buffer {
    if (typeof name === 'string') return `${this.path}/${name}`;
    return Buffer.concat([Buffer.from(`${this.path}/`), name]);
  }

  /** Holds an entry of this folder, a symbolic link itself. Rejects with the error of open(2). */
  async entry(name: EntryName): Promise<OpenEntry> {
    return new OpenEntry(await openFd(this.at(name), ENTRY));
  }

  /** Holds a folder in this folder. Rejects as {@link open} does. */
  async folder(name: EntryName): Promise<OpenFolder> {
    return new OpenFolder(await openFd(this.at(name), FOLDER));
  }

  /**
   * Calls with each entry: folders one after the other, the rest a few at a time. What is added or removed meanwhile
   * may be among them or not. Rejects with the first error, when nothing is under way any more.
   */
  async forEach(visit: (entry: Dirent<Buffer>) => Promise<void>): Promise<void> {
    // Names in bytes: containers may give names that are no text.
    const entries = (await opendir(this.path, {
      encoding: 'buffer' as BufferEncoding,
    })) as unknown as AsyncIterable<Dirent<Buffer>>;
    const underWay = new Set<Promise<void>>();
    let failed: { readonly error: unknown } | undefined;
    const begin = (entry: Dirent<Buffer>): void => {
      const task: Promise<void> = visit(entry)
        .catch((error: unknown) => {
          failed ??= { error };
        })
        .finally(() => underWay.delete(task));
      underWay.add(task);
    };
    try {
      for await (const entry of entries) {
        if (entry.isDirectory()) await visit(entry);
        else begin(entry);
        if (underWay.size >= AT_ONCE) await Promise.race(underWay);
        if (failed !== undefined) break;
      }
    } finally {
      await Promise.all(underWay);
    }
    if (failed !== undefined) throw failed.error;
  }
}

/** Whether an error is one of the system with this code. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && codes.includes(code);
}
