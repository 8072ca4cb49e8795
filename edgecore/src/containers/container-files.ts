import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PodFolders } from '../pods/pod-folders.ts';

/** Mode of folders of pods. Source: kubelet. */
const FOLDER_MODE = 0o750;
/** Older attempts whose termination message is kept. */
const KEPT_ATTEMPTS = 4;

/** Files that are written for containers and mounted into them. Errors are those of the file system. */
export class ContainerFiles {
  readonly #folders: PodFolders;

  constructor(folders: PodFolders) {
    this.#folders = folders;
  }

  /** Writes `/etc/hosts` of a pod; its path. In place, since it may be mounted, and only where it is another one. */
  async hosts(uid: string, content: string): Promise<string> {
    const file = this.#folders.hosts(uid);
    await mkdir(path.dirname(file), { recursive: true, mode: FOLDER_MODE });
    if ((await read(file)) !== content) await writeFile(file, content);
    await chmod(file, 0o644); // whatever the umask is
    return file;
  }

  /**
   * Makes the empty file that a container may write its last words into; its path. Each attempt has its own, so that
   * what the one before has said is still there; those of long ago are removed.
   */
  async terminationMessage(uid: string, container: string, attempt: number): Promise<string> {
    const folder = this.#folders.container(uid, container);
    await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    const file = path.join(folder, `${attempt}.message`);
    await writeFile(file, '');
    await chmod(file, 0o666); // its processes may be anybody's
    await this.#removeOld(folder, attempt);
    return file;
  }

  async #removeOld(folder: string, attempt: number): Promise<void> {
    for (const name of await readdir(folder)) {
      const number = /^(\d+)\.message$/.exec(name)?.[1];
      if (number === undefined || Number(number) >= attempt - KEPT_ATTEMPTS) continue;
      await rm(path.join(folder, name), { force: true });
    }
  }
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
