import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { LogFile } from './log-folder.ts';

const BLOCK_BYTES = 64 * 1024;
const PACKED_BLOCK_BYTES = 16 * 1024;

/**
 * The content of a log file, up to the end that it has now, in blocks of up to 64 KiB, each good until the next one is
 * asked for. A packed one is unpacked, from its beginning, and ends early where it is damaged.
 */
export function blocksOf(file: LogFile, offset: number): AsyncGenerator<Buffer, void, void> {
  return file.isPacked ? unpacked(file) : plain(file, offset);
}

async function* plain({ handle }: LogFile, offset: number): AsyncGenerator<Buffer, void, void> {
  // What is written meanwhile does not count, so that reading ends.
  const { size } = await handle.stat();
  const buffer = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, Math.max(size - offset, 0)));
  for (let at = offset; at < size;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Ends early where it is damaged. */
async function* unpacked({ handle }: LogFile): AsyncGenerator<Buffer, void, void> {
  const content = createGunzip();
  // Each failure of the file ends the content, which is where it is seen.
  pipeline(packedBlocks(handle), content, () => {});
  try {
    for await (const piece of content) yield piece as Buffer; // no encoding is set
  } catch (error) {
    // Nothing else of the log shall be lost because of a file that cannot be read any more.
    if (!isDamage(error)) throw error;
  } finally {
    content.destroy();
  }
}

async function* packedBlocks(handle: FileHandle): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; ;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(PACKED_BLOCK_BYTES), 0, null, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function isDamage(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return code.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
