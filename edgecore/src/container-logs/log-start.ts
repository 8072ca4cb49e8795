import { CriLogFormat } from './cri-log-format.ts';
import { blocksOf } from './log-blocks.ts';
import type { LogFile, LogFolder } from './log-folder.ts';
import type { LogQuery } from './log-query.ts';
import { findTailStart } from './tail-start.ts';

/** What of a log is read at first. */
export interface LogStart {
  /** In the order in which they are read; the caller closes them. Empty: there is no log yet. */
  readonly files: readonly LogFile[];
  /** Where to begin in the first one. */
  readonly offset: number;
  /** Lines of the output to leave out from there on. */
  readonly skipLines: number;
}

/**
 * Finds the files that a query is about, and where to begin. Without `tailLines` and `sinceMs` that is the present log
 * alone, as with a kubelet: all that a node keeps of a container may be more than somebody wants who did not say how
 * much. With one of them it is what they say, rotated files included. (A kubelet looks into the present log only, and
 * so has three lines for `--tail=100` just after a rotation.)
 */
export async function findLogStart(folder: LogFolder, query: LogQuery): Promise<LogStart> {
  const files: LogFile[] = [];
  try {
    const present = await folder.openFile(folder.logName);
    if (present !== undefined) files.push(present);
    if (query.tailLines !== undefined) return await findTail(folder, files, query.tailLines, query);
    const { sinceMs } = query;
    for await (const older of olderFiles(folder, files)) {
      // Moved away, and the runtime has not begun the next one yet: it is still the present one.
      const isPresent = files.length === 0;
      if (!isPresent && (sinceMs === undefined || older.modifiedMs < sinceMs)) break;
      await openInFront(folder, files, older.name);
    }
    return { files, offset: 0, skipLines: 0 };
  } catch (error) {
    for (const { handle } of files) await handle.close();
    throw error;
  }
}

async function findTail(
  folder: LogFolder,
  files: LogFile[],
  wanted: number,
  query: LogQuery,
): Promise<LogStart> {
  const { stream = 'All' } = query;
  let missing = wanted;
  let offset = 0;
  let skipLines = 0;
  /** Whether there are enough lines from a file on. */
  const isEnough = async (file: LogFile): Promise<boolean> => {
    const found = file.isPacked
      ? await findPackedTail(file, missing, query)
      : await findTailStart(file.handle, (await file.handle.stat()).size, missing, stream);
    missing -= found.lines;
    offset = 'offset' in found ? found.offset : 0;
    skipLines = 'skipLines' in found ? found.skipLines : 0;
    return missing === 0;
  };
  const [present] = files;
  if (present !== undefined && (await isEnough(present))) return { files, offset, skipLines };
  for await (const { name } of olderFiles(folder, files)) {
    const file = await openInFront(folder, files, name);
    if (file !== undefined && (await isEnough(file))) break;
  }
  return { files, offset, skipLines };
}

/** There is no way but through it: it is unpacked once to count, and once more to be read. */
async function findPackedTail(
  file: LogFile,
  wanted: number,
  { stream = 'All' }: LogQuery,
): Promise<{ readonly lines: number; readonly skipLines: number }> {
  const count = new CriLogFormat({ stream }, Number.MAX_SAFE_INTEGER);
  for await (const piece of blocksOf(file, 0)) count.push(piece);
  const lines = Math.min(wanted, count.skipped);
  return { lines, skipLines: count.skipped - lines };
}

/** Rotated files, the latest first, but for those that are open already. */
async function* olderFiles(
  folder: LogFolder,
  files: readonly LogFile[],
): AsyncGenerator<{ readonly name: string; readonly modifiedMs: number }, void, void> {
  for (const { name } of (await folder.rotated()).toReversed()) {
    const facts = await folder.look(name);
    // The present one may have been moved away since it was opened.
    const isOpen = files.some(({ inode }) => inode === facts?.inode);
    if (!isOpen) yield { name, modifiedMs: facts === undefined ? Infinity : facts.modifiedMs };
  }
}

async function openInFront(folder: LogFolder, files: LogFile[], name: string): Promise<LogFile | undefined> {
  // It may have been packed since it was listed.
  const file = (await folder.openFile(name)) ?? (await folder.openFile(`${name}.gz`));
  if (file !== undefined) files.unshift(file);
  return file;
}
