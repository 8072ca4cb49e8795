import { chmod, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ContainerMount } from '../container-config.ts';
import { isWithin, planRoot, type PlannedMount, type RootPlan } from './root-plan.ts';

/** Where the whole host is, for the links of folders that are a container's own. */
export const HOST_MOUNT = '/.host';
/** A folder of the host with more in it is not taken for a container's own. */
const MAX_ENTRIES = 20_000;
const LOCKED_FLAGS = ['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime'];

/**
 * Makes the folder that becomes the root of a container, and the script that mounts there and goes on with what its
 * arguments say. The script runs with the programs named, in a mount namespace of its own; `$1` is the root. What it has
 * to complain about it writes to descriptor 3, which it closes once all is mounted.
 * @throws Error of the file system, and of `planRoot`
 */
export async function makeContainerRoot(
  root: string,
  mounts: readonly ContainerMount[],
  programs: { readonly mount: string; readonly chroot: string },
): Promise<string> {
  const plan = await planRoot(mounts);
  await makeFolders(root, plan);
  const tops = await makeLinks(root, plan);
  const mountInfo = await readFile('/proc/self/mountinfo', 'utf8');
  const bind = (source: string, target: string): string =>
    `${quote(programs.mount)} -n --rbind ${quote(source)} "$R"${quote(target)}`;
  const lines = [
    ...['set -e', 'R=$1', 'shift', 'exec 4>&2 2>&3'],
    `${quote(programs.mount)} -n --rbind "$R" "$R"`,
    bind('/', HOST_MOUNT),
    ...tops.map((top) => bind(top, top)),
    ...plan.mounts.flatMap((mount) => [
      ...(isInVolume(mount, plan) ? [makePlace(mount)] : []),
      bind(mount.source, mount.target),
      ...(mount.readOnly ? [readOnly(mount, mountInfo, programs.mount)] : []),
    ]),
    ...['cd /', 'exec 2>&4 3>&- 4>&-', `exec ${quote(programs.chroot)} "$R" "$@"`],
  ];
  return lines.join('\n');
}

/**
 * Makes a folder with a symbolic link for each mount, at the mount's path below it: for machines where nothing can be
 * mounted.
 */
export async function makeContainerLinks(folder: string, mounts: readonly ContainerMount[]): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { hostPath, containerPath } of mounts) {
    const link = path.join(folder, containerPath);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(hostPath, link);
  }
}

/** A word of a shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

async function makeFolders(root: string, plan: RootPlan): Promise<void> {
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  for (const folder of plan.ownFolders) {
    const own = path.join(root, folder);
    await mkdir(own, { recursive: true });
    const like = await stat(folder).catch(() => undefined); // the host has none
    await chmod(own, like === undefined ? 0o755 : like.mode & 0o7777);
  }
  await chmod(root, 0o755);
  await mkdir(path.join(root, HOST_MOUNT));
  for (const mount of plan.mounts) {
    if (!plan.ownFolders.includes(path.dirname(mount.target))) continue;
    const place = path.join(root, mount.target);
    if (mount.isFolder) await mkdir(place, { recursive: true });
    else await writeFile(place, '');
  }
}

/** Fills the own folders with links to what the host has there; answers the folders of the root, which are mounted. */
async function makeLinks(root: string, plan: RootPlan): Promise<readonly string[]> {
  const tops: string[] = [];
  for (const folder of plan.ownFolders) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []); // not there, or not to be read
    if (entries.length > MAX_ENTRIES)
      throw new Error(`${folder} has too many entries to mount something in it`);
    const there = new Set(await readdir(path.join(root, folder)));
    for (const entry of entries) {
      const file = path.join(folder, entry.name);
      if (there.has(entry.name)) continue;
      if (folder === '/' && entry.isDirectory()) {
        await mkdir(path.join(root, file));
        tops.push(file);
      } else {
        const isTopLink = folder === '/' && entry.isSymbolicLink();
        await symlink(isTopLink ? await readlink(file) : HOST_MOUNT + file, path.join(root, file));
      }
    }
  }
  return tops;
}

function isInVolume(mount: PlannedMount, plan: RootPlan): boolean {
  return plan.mounts.some((other) => other !== mount && isWithin(mount.target, other.target));
}

function makePlace({ target, isFolder }: PlannedMount): string {
  const place = `"$R"${quote(target)}`;
  const parent = `"$R"${quote(path.dirname(target))}`;
  return isFolder ? `mkdir -p ${place}` : `mkdir -p ${parent}; [ -e ${place} ] || : > ${place}`;
}

/** A user namespace must not take away flags that its mounts have inherited: they are said again. */
function readOnly({ source, target }: PlannedMount, mountInfo: string, mount: string): string {
  const kept = flagsOf(source, mountInfo).filter((flag) => LOCKED_FLAGS.includes(flag));
  return `${quote(mount)} -n -o ${['remount', 'bind', 'ro', ...kept].join(',')} "$R"${quote(target)}`;
}

function flagsOf(file: string, mountInfo: string): readonly string[] {
  let found: { readonly point: string; readonly flags: readonly string[] } = { point: '', flags: [] };
  for (const line of mountInfo.split('\n')) {
    const [, , , , point, flags = ''] = line.split(' ', 6);
    if (point === undefined || !isWithin(file, point) || point.length < found.point.length) continue;
    found = { point, flags: flags.split(',') };
  }
  return found.flags;
}
