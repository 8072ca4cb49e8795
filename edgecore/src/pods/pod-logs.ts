import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Removes the folder of a pod's logs: `<namespace>_<name>_<uid>` below `logRoot`. By its UID alone, because after a
 * crash nobody may know its name any more.
 */
export async function removePodLogs(logRoot: string, uid: string): Promise<void> {
  if (!/^[A-Za-z0-9-]+$/.test(uid)) return; // no folder of ours
  let names: string[];
  try {
    names = await readdir(logRoot);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const name of names) {
    if (name.endsWith(`_${uid}`)) await rm(path.join(logRoot, name), { recursive: true, force: true });
  }
}
