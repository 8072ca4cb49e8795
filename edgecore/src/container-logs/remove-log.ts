import { rm } from 'node:fs/promises';
import { LogFolder } from './log-folder.ts';

/**
 * Removes the log of a container that has ended, with its rotated files. Not there: nothing to do.
 * @param logPath `RuntimeContainer.logPath`
 * @throws EdgeCoreError `ERR_EDGECORE_CONTAINER_LOG`
 */
export async function removeLog(logPath: string): Promise<void> {
  const folder = await LogFolder.openIfThere(logPath);
  if (folder === undefined) return;
  try {
    for (const name of [...(await folder.leftovers()), folder.logName])
      await rm(folder.pathOf(name), { force: true });
  } finally {
    await folder.close();
  }
}
