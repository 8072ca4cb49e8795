import { lstat } from 'node:fs/promises';
import { hasCode, OpenFolder } from './open-folder.ts';
import { walkTree } from './tree-walk.ts';

const BLOCK_BYTES = 512;
/** Files with several names that are remembered, so that each counts once; beyond it they count each time. */
const MAX_LINKED = 100_000;

/**
 * What a folder and everything in it takes on the disk, bytes: what is allocated, as `du` counts it. What is mounted
 * in it does not count.
 * Source: kubelet, volume/util/fs DiskUsage.
 * Errors: those of the system, `TreeError`, `signal.reason`.
 */
export async function diskUsage(path: string, signal: AbortSignal): Promise<number> {
  const root = await OpenFolder.open(path);
  const linked = new Set<number>();
  let blocks = 0;
  try {
    const { dev } = await root.stat();
    await walkTree(
      root,
      {
        file: async (parent, name) => {
          const stat = await lstat(parent.at(name)).catch((error: unknown) => {
            if (hasCode(error, 'ENOENT')) return undefined;
            throw error;
          });
          if (stat?.dev !== dev || linked.has(stat.ino)) return;
          if (stat.nlink > 1 && linked.size < MAX_LINKED) linked.add(stat.ino);
          blocks += stat.blocks;
        },
        folder: (_, stat) => {
          blocks += stat.blocks;
          return Promise.resolve();
        },
      },
      signal,
    );
  } finally {
    await root.close();
  }
  return blocks * BLOCK_BYTES;
}
