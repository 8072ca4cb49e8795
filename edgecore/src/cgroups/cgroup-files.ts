import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';

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

/** Those of the machine. */
export const kernelCgroupFiles: CgroupFiles = {
  async mkdir(folder) {
    await unless('EEXIST', mkdir(folder));
  },
  async rmdir(folder) {
    await unless('ENOENT', rmdir(folder));
  },
  async folders(folder) {
    const entries = await unless('ENOENT', readdir(folder, { withFileTypes: true }));
    return (entries ?? []).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  },
  read(file) {
    return unless('ENOENT', readFile(file, 'utf8'));
  },
  async write(file, text) {
    // Opened as it is: with O_CREAT a kernel answers EPERM for a file that it does not have.
    const done = await unless(
      'ENOENT',
      writeFile(file, text, { flag: 'r+' }).then(() => true),
    );
    return done === true;
  },
};

/** undefined where it fails with this code. */
async function unless<T>(code: string, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codeOf(error) === code) return undefined;
    throw error;
  }
}

/** The code that a file system has given, such as `EBUSY`. */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}
