import { mkdir, open, readdir, readFile, rm, type FileHandle } from 'node:fs/promises';
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

  /** Makes the folders that the files of a pod's containers are in: there already when they are written. */
  async prepare(uid: string, containers: readonly string[]): Promise<void> {
    await Promise.all(containers.map((container) => makeFolder(this.#folders.container(uid, container))));
  }

  /** Writes `/etc/hosts` of a pod; its path. In place, since it may be mounted, and only where it is another one. */
  async hosts(uid: string, content: string): Promise<string> {
    const file = this.#folders.hosts(uid);
    if ((await read(file)) !== content) await write(file, content, 0o644);
    return file;
  }

  /**
   * Makes the empty file that a container may write its last words into; its path. Each attempt has its own, so that
   * what the one before has said is still there; those of long ago are removed.
   */
  async terminationMessage(uid: string, container: string, attempt: number): Promise<string> {
    const folder = this.#folders.container(uid, container);
    const file = path.join(folder, `${attempt}.message`);
    await write(file, '', 0o666); // its processes may be anybody's
    if (attempt > KEPT_ATTEMPTS) await this.#removeOld(folder, attempt);
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

/** @param mode of the file, whatever the umask is, and of whom the file was before */
async function write(file: string, content: string, mode: number): Promise<void> {
  const handle = await openMade(file);
  try {
    if (content !== '') await handle.writeFile(content);
    await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}

/** Its folder is there, as a rule: it is made only where it is not. */
async function openMade(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'w');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await makeFolder(path.dirname(file));
  return await open(file, 'w');
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
