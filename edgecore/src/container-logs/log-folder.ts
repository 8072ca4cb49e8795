import { constants } from 'node:fs';
import { lstat, open, readdir, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { EdgeCoreError } from '../errors.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** A pod that has the folder of logs mounted may put a link in there, or a pipe that nobody writes to. */
const FILE_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
const FOLDER_FLAGS = O_RDONLY | O_NOFOLLOW | O_DIRECTORY;
const NS_PER_MS = 1e6;
const ROTATED_TIME = /^\d{4}(0[1-9]|1[0-2])([0-2]\d|3[01])-([01]\d|2[0-3])[0-5]\d[0-5]\d$/;

/** What tells one file from another, and whether it has grown. */
export interface FileFacts {
  readonly inode: bigint;
  readonly size: number;
  /** Milliseconds since the epoch, with fractions. */
  readonly modifiedMs: number;
}

/** A log file that was moved away: `0.log.20260101-150405`, `0.log.20260101-150405.gz`. */
export interface RotatedLog {
  readonly name: string;
  /** `20260101-150405`, in UTC; the order of these texts is that of the files. */
  readonly time: string;
  readonly isPacked: boolean;
}

/** A file of a log, open to be read. */
export interface LogFile {
  readonly handle: FileHandle;
  readonly name: string;
  readonly inode: bigint;
  readonly isPacked: boolean;
}

/**
 * The folder that the log of a container is in. It is opened once, and everything in it is named from there: what a
 * pod with a hostPath below `/var/log` makes of the names above does not lead anywhere else. Neither the folder, nor
 * that of the pod above it, nor a file in it may be a symbolic link.
 */
export class LogFolder {
  /** Name of the present log: `0.log`. */
  readonly logName: string;
  readonly #handle: FileHandle;
  readonly #about: string;

  private constructor(handle: FileHandle, logPath: string) {
    this.#handle = handle;
    this.#about = logPath;
    this.logName = path.basename(logPath);
  }

  /**
   * @param logPath `<folder of the pod>/<container>/<attempt>.log`
   * @throws EdgeCoreError `ERR_EDGECORE_CONTAINER_LOG`
   */
  static async open(logPath: string): Promise<LogFolder> {
    const folder = path.dirname(path.resolve(logPath));
    let ofPod: FileHandle | undefined;
    try {
      ofPod = await open(path.dirname(folder), FOLDER_FLAGS);
      return new LogFolder(await open(below(ofPod, path.basename(folder)), FOLDER_FLAGS), logPath);
    } catch (error) {
      throw logError(logPath, error);
    } finally {
      await ofPod?.close();
    }
  }

  /** As {@link open}; undefined: there is no such folder. */
  static async openIfThere(logPath: string): Promise<LogFolder | undefined> {
    try {
      return await LogFolder.open(logPath);
    } catch (error) {
      if (isMissing((error as Error).cause)) return undefined;
      throw error;
    }
  }

  /** A path that leads to a file of this folder for as long as the folder is open. */
  pathOf(name: string): string {
    return below(this.#handle, name);
  }

  /**
   * Opens a file; undefined: it is not there.
   * @throws EdgeCoreError `ERR_EDGECORE_CONTAINER_LOG` where it is no plain file
   */
  async openFile(name: string): Promise<LogFile | undefined> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(this.pathOf(name), FILE_FLAGS);
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) throw new Error('it is no plain file');
      return { handle, name, inode: stats.ino, isPacked: name.endsWith('.gz') };
    } catch (error) {
      await handle?.close();
      if (isMissing(error)) return undefined;
      throw logError(this.#about, error);
    }
  }

  /** What is there under a name; undefined: nothing, or no plain file. */
  async look(name: string): Promise<FileFacts | undefined> {
    try {
      const stats = await lstat(this.pathOf(name), { bigint: true });
      if (!stats.isFile()) return undefined;
      return { inode: stats.ino, size: Number(stats.size), modifiedMs: Number(stats.mtimeNs) / NS_PER_MS };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw logError(this.#about, error);
    }
  }

  /** Names of all files whose names begin with that of the log and a point: rotated ones, and what a crash has left. */
  async leftovers(): Promise<readonly string[]> {
    const names = await readdir(this.pathOf('.'));
    return names.filter((name) => name.startsWith(`${this.logName}.`)).sort();
  }

  /**
   * Files that were moved away, the oldest first. Where a crash has left one packed and unpacked, the packed one
   * counts: it got its name when it was complete.
   */
  async rotated(): Promise<readonly RotatedLog[]> {
    const byTime = new Map<string, RotatedLog>();
    for (const name of await this.leftovers()) {
      const isPacked = name.endsWith('.gz');
      const time = name.slice(this.logName.length + 1, isPacked ? -'.gz'.length : undefined);
      // Packed ones come later in the order of names.
      if (ROTATED_TIME.test(time)) byTime.set(time, { name, time, isPacked });
    }
    return [...byTime.values()];
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function below(folder: FileHandle, name: string): string {
  return `/proc/self/fd/${folder.fd}/${name}`;
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

/** The failure of a file operation on a log. */
export function logError(logPath: string, cause: unknown): EdgeCoreError {
  if (cause instanceof EdgeCoreError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  const what =
    code === 'ELOOP' || code === 'ENOTDIR'
      ? 'a symbolic link is in its way'
      : message.replace(/, \w+ '.*$/, '');
  return new EdgeCoreError('ERR_EDGECORE_CONTAINER_LOG', `the log ${logPath} cannot be read: ${what}`, {
    about: logPath,
    cause,
  });
}
