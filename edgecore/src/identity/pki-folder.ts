import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger, type Logger } from '@hawser/seams';
import { EdgeCoreError } from '../errors.ts';

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
const PERMISSIONS = 0o777;
/** Marks what a crash left behind in the middle of a write. */
const TEMPORARY = '.tmp-';

/**
 * A folder that only its owner may look into (0700), with small files that only its owner may read (0600). Every
 * method either has its whole effect, on disk, or none, whenever the machine stops.
 *
 * Errors: `ERR_EDGECORE_PKI_DIR`.
 */
export interface PkiFolder {
  readonly dir: string;
  /** Makes the folder where it is not there, repairs rights that are too wide (and says so), drops broken-off writes. */
  open(): Promise<void>;
  /** A file's content, undefined where there is none. */
  read(name: string): Promise<string | undefined>;
  /** Writes a file as a whole. */
  write(name: string, content: string): Promise<void>;
  /** Gives a file another name, in place of the file that has it. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, if it is there. */
  remove(name: string): Promise<void>;
}

/** {@link PkiFolder} on the file system. */
export class DiskPkiFolder implements PkiFolder {
  readonly dir: string;
  readonly #logger: Logger;

  constructor(dir: string, logger: Logger = silentLogger) {
    this.dir = dir;
    this.#logger = logger;
  }

  async open(): Promise<void> {
    await this.#doing(this.dir, async () => {
      await mkdir(this.dir, { recursive: true, mode: PRIVATE_FOLDER });
      await this.#narrow(this.dir, PRIVATE_FOLDER);
      for (const name of await readdir(this.dir)) {
        const file = path.join(this.dir, name);
        if (name.startsWith(TEMPORARY)) await rm(file, { force: true });
        else if ((await stat(file)).isFile()) await this.#narrow(file, PRIVATE_FILE);
      }
    });
  }

  async read(name: string): Promise<string | undefined> {
    const file = path.join(this.dir, name);
    return await this.#doing(file, async () => {
      try {
        return await readFile(file, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    });
  }

  async write(name: string, content: string): Promise<void> {
    const file = path.join(this.dir, name);
    const temporary = path.join(this.dir, `${TEMPORARY}${randomBytes(6).toString('hex')}`);
    await this.#doing(file, async () => {
      try {
        const handle = await open(temporary, 'wx', PRIVATE_FILE);
        try {
          await handle.writeFile(content);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, file);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      await this.#sync();
    });
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#doing(path.join(this.dir, to), async () => {
      await rename(path.join(this.dir, from), path.join(this.dir, to));
      await this.#sync();
    });
  }

  async remove(name: string): Promise<void> {
    await this.#doing(path.join(this.dir, name), async () => {
      await rm(path.join(this.dir, name), { force: true });
      await this.#sync();
    });
  }

  async #narrow(file: string, mode: number): Promise<void> {
    const present = (await stat(file)).mode & PERMISSIONS;
    if ((present & ~mode) === 0) return;
    await chmod(file, mode);
    const rights = { was: present.toString(8), is: mode.toString(8) };
    this.#logger.warn({ file, ...rights }, 'others could look into it: its rights were narrowed');
  }

  /** Names in a folder are durable once the folder itself was flushed. */
  async #sync(): Promise<void> {
    const handle = await open(this.dir, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async #doing<T>(about: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const message = `${about} cannot be used: ${(cause as Error).message}`;
      throw new EdgeCoreError('ERR_EDGECORE_PKI_DIR', message, { cause, about });
    }
  }
}
