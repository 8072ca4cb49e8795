import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { LogFile, LogFolder, RotatedLog } from './log-folder.ts';

const TEMPORARY = '.tmp';
const PERMISSIONS = 0o777;
const BLOCK_BYTES = 64 * 1024;

/** What {@link rotateLog} needs. */
export interface LogRotationOptions {
  readonly folder: LogFolder;
  /** Files of a container, the present one included; at least 2. */
  readonly maxFiles: number;
  /** Has the runtime go on in a new file. */
  readonly reopen: () => Promise<void>;
  /** A file could not be packed; it stays as it is. */
  readonly onUnpacked: (name: string, error: unknown) => void;
  readonly wallMs: number;
  readonly signal: AbortSignal;
}

/**
 * Moves a log away and has the runtime begin another one. Steps, each of which may be the last one before a power cut:
 * 1. what a crash has left is removed: files that were being packed, and those that have been;
 * 2. the oldest files are removed, so that with the new one there are `maxFiles`;
 * 3. all rotated files are packed, so each one is written once, by its second rotation: the latest one stays readable
 *    for whoever is in the middle of it. Packed: to another name, flushed, renamed, the first one removed;
 * 4. the present log is renamed. From here on the runtime writes to a file without its name;
 * 5. the runtime opens a new one. If it does not, {@link LogRotator} finds that there is none, and asks again.
 * Source: kubelet, container_log_manager.go.
 * @throws EdgeCoreError `ERR_EDGECORE_CONTAINER_LOG`; what `reopen` throws; signal.reason
 */
export async function rotateLog(options: LogRotationOptions): Promise<void> {
  const { folder, maxFiles, reopen, onUnpacked, wallMs, signal } = options;
  const files = await removeLeftovers(folder);
  const excess = Math.max(0, files.length - (maxFiles - 2));
  for (const { name } of files.slice(0, excess)) await remove(folder, name);
  for (const { name, isPacked } of files.slice(excess)) {
    signal.throwIfAborted();
    if (isPacked) continue;
    try {
      await pack(folder, name, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The disk may be full: all the more reason to go on, the next rotation removes more.
      onUnpacked(name, error);
    }
  }
  const time = nextTime(files.at(-1), wallMs);
  await rename(folder.pathOf(folder.logName), folder.pathOf(`${folder.logName}.${time}`));
  await reopen();
}

/** The files that count, the oldest first; others are removed. */
async function removeLeftovers(folder: LogFolder): Promise<readonly RotatedLog[]> {
  const rotated = await folder.rotated();
  const packed = new Set(rotated.filter(({ isPacked }) => isPacked).map(({ name }) => name));
  for (const name of await folder.leftovers()) {
    if (name.endsWith(TEMPORARY) || packed.has(`${name}.gz`)) await remove(folder, name);
  }
  return rotated;
}

async function pack(folder: LogFolder, name: string, signal: AbortSignal): Promise<void> {
  const file = await folder.openFile(name);
  if (file === undefined) return;
  const temporary = folder.pathOf(`${name}.gz${TEMPORARY}`);
  try {
    const { mode } = await file.handle.stat();
    const target = await open(temporary, 'wx', mode & PERMISSIONS);
    try {
      await packInto(file, target, signal);
    } finally {
      await target.close();
    }
    await rename(temporary, folder.pathOf(`${name}.gz`));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.handle.close();
  }
  await remove(folder, name);
}

/** All on the disk when it resolves, with the time of the file: `sinceTime` looks at that. */
async function packInto({ handle }: LogFile, target: FileHandle, signal: AbortSignal): Promise<void> {
  const { atime, mtime } = await handle.stat();
  await pipeline(
    blocks(handle),
    createGzip(),
    async (packed: AsyncIterable<Buffer>) => {
      for await (const block of packed) await target.writeFile(block);
    },
    { signal },
  );
  await target.utimes(atime, mtime);
  await target.sync();
}

async function* blocks(handle: FileHandle): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; ;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(BLOCK_BYTES), 0, null, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function remove(folder: LogFolder, name: string): Promise<void> {
  return rm(folder.pathOf(name), { force: true });
}

/** `20260101-150405`, and later than that of the file before, whatever the clock says: names are the order of files. */
function nextTime(latest: RotatedLog | undefined, wallMs: number): string {
  const afterMs = latest === undefined ? -Infinity : timeMs(latest.time) + 1000;
  const [date = '', time = ''] = new Date(Math.max(wallMs, afterMs)).toISOString().split(/[T.]/);
  return `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}`;
}

function timeMs(time: string): number {
  return Date.parse(time.replace(/^(....)(..)(..)-(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z'));
}
