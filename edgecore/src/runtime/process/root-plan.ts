import type { Stats } from 'node:fs';
import { lstat, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ContainerMount } from '../container-config.ts';

/** Something that is to be mounted. */
export interface PlannedMount {
  readonly source: string;
  /** Where, as the host has it: without symbolic links. */
  readonly target: string;
  readonly isFolder: boolean;
  readonly readOnly: boolean;
}

/** What the root of a container looks like, beside the host's. */
export interface RootPlan {
  /** Mounts, an outer one before those below it. */
  readonly mounts: readonly PlannedMount[];
  /**
   * Folders that are the container's own, with links to what the host has in its folder of that name: something is
   * mounted in there that the host has no place for. The root is always one. An outer one before those below it.
   */
  readonly ownFolders: readonly string[];
}

const MAX_LINKS = 40;

/**
 * Plans the root of a container: the host's, with mounts in it. The host gets no folders for them: a folder of the host
 * in which a place for a mount is missing is replaced by one of the container's own.
 * @throws Error a path leads nowhere, a mount is below a file
 */
export async function planRoot(mounts: readonly ContainerMount[]): Promise<RootPlan> {
  const planned: PlannedMount[] = [];
  const sorted = [...mounts].sort((one, other) => depth(one.containerPath) - depth(other.containerPath));
  for (const mount of sorted) {
    const source = await stat(mount.hostPath);
    const target = await resolveTarget(path.posix.normalize(mount.containerPath), planned);
    if (target === '/') throw new Error('a volume cannot be mounted over the root of the host');
    planned.push({
      source: mount.hostPath,
      target,
      isFolder: source.isDirectory(),
      readOnly: mount.readOnly === true,
    });
  }
  const own = await ownFolders(planned);
  return { mounts: planned, ownFolders: [...own].sort((one, other) => depth(one) - depth(other)) };
}

/** Whether a path is below another one, or that one. */
export function isWithin(file: string, folder: string): boolean {
  return file === folder || folder === '/' || file.startsWith(`${folder}/`);
}

/** Folders above a path, the root first. */
export function foldersAbove(file: string): readonly string[] {
  const parts = file.split('/').slice(1, -1);
  return ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
}

/** A path without the symbolic links that the host has on its way; below a mount it is the volume's business. */
async function resolveTarget(file: string, planned: readonly PlannedMount[]): Promise<string> {
  let resolved = '/';
  let rest = file.split('/').filter((part) => part !== '');
  for (let links = 0; rest.length > 0;) {
    const [part = '', ...others] = rest;
    const next = path.join(resolved, part);
    rest = others;
    const isCovered = planned.some(({ target }) => isWithin(next, target));
    const found = isCovered ? undefined : await look(next);
    if (found?.isSymbolicLink() !== true) {
      if (found?.isFile() === true && rest.length > 0) throw new Error(`${next} is no folder`);
      resolved = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new Error(`${file} has too many symbolic links on its way`);
    const target = path.resolve(resolved, await readlink(next));
    rest = [...target.split('/').filter((each) => each !== ''), ...rest];
    resolved = '/';
  }
  return resolved;
}

/** All folders above a place that is missing, or of another kind, are replaced; then those above any place below one. */
async function ownFolders(planned: readonly PlannedMount[]): Promise<ReadonlySet<string>> {
  const own = new Set(['/']);
  for (const { target, isFolder } of planned) {
    const isInVolume = planned.some((other) => other.target !== target && isWithin(target, other.target));
    const found = isInVolume ? undefined : await look(target);
    const fits = found?.isDirectory() === isFolder;
    if (!isInVolume && !fits) for (const folder of foldersAbove(target)) own.add(folder);
  }
  for (let size = 0; size !== own.size;) {
    size = own.size;
    for (const { target } of planned) {
      const above = foldersAbove(target);
      const isBelowVolume = above.some((folder) => planned.some((other) => other.target === folder));
      if (!isBelowVolume && above.slice(1).some((folder) => own.has(folder)))
        for (const folder of above) own.add(folder);
    }
  }
  return own;
}

async function look(file: string): Promise<Stats | undefined> {
  try {
    return await lstat(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES') return undefined;
    throw error;
  }
}

function depth(file: string): number {
  return file.split('/').filter((part) => part !== '').length;
}
