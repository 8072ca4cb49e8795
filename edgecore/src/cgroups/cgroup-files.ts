import { closeSync, openSync, readFileSync, write as writeTo } from 'node:fs';
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { promisify } from 'node:util';

/** What is done with the folders and files of a cgroup file system. Errors are those of the file system. */
export interface CgroupFiles {
  /** There already: nothing to do. */
  mkdir(folder: string): Promise<void>;
  /** Not there: nothing to do. */
  rmdir(folder: string): Promise<void>;
  /** Names of the folders in a folder; none where it is not there. */
  folders(folder: string): Promise<readonly string[]>;
  /** undefined: there is no such file. */
  read(file: string): Promise<string | undefined>;
  /** @returns false: there is no such file, the kernel does not have what it stands for */
  write(file: string, text: string): Promise<boolean>;
}

const writeAsync = promisify(writeTo);

/**
 * Those of the machine. Its files are in the kernel's memory: opening and reading one takes microseconds, and some twenty of
 * them for each pod that starts would take a hundred times as long by way of other threads. What may have to wait for the
 * kernel does so there: making a folder, and what a limit is written for.
 */
export const kernelCgroupFiles: CgroupFiles = {
  async mkdir(folder) {
    await unless('EEXIST', () => mkdir(folder));
  },
  async rmdir(folder) {
    await unless('ENOENT', () => rmdir(folder));
  },
  async folders(folder) {
    const entries = await unless('ENOENT', () => readdir(folder, { withFileTypes: true }));
    return (entries ?? []).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  },
  read(file) {
    return unless('ENOENT', () => readFileSync(file, 'utf8'));
  },
  async write(file, text) {
    // Opened as it is: with O_CREAT a kernel answers EPERM for a file that it does not have.
    const done = await unless('ENOENT', async () => {
      const fd = openSync(file, 'r+');
      try {
        await writeAsync(fd, text);
      } finally {
        closeSync(fd);
      }
      return true;
    });
    return done === true;
  },
};

/** undefined where it fails with this code. */
async function unless<T>(code: string, task: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (codeOf(error) === code) return undefined;
    throw error;
  }
}

/** The code that a file system has given, such as `EBUSY`. */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}
