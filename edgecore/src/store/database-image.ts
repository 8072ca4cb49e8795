import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { sqliteCode } from './damage.ts';
import { LogReader, wholeFrames } from './write-ahead-log.ts';

/** What is read at once: a part that cannot be read costs this much. */
const BLOCK_BYTES = 4096;

/**
 * The bytes of a database with all whole transactions of its log merged, as one that needs no log: for a file system
 * that SQLite could not write to.
 */
export function readImage(database: string, log: string): Buffer {
  let image = readLeniently(database);
  if (existsSync(log)) {
    const file = openSync(log, 'r');
    try {
      image = merge(image, new LogReader(file));
    } catch (error) {
      if (sqliteCode(error) !== 'EIO') throw error;
    } finally {
      closeSync(file);
    }
  }
  // Format versions 2 mean "has a write-ahead log", which a database in memory cannot have.
  if (image.length > 19) image.fill(1, 18, 20);
  return image;
}

/** A file's bytes, zeros where a sector cannot be read. */
function readLeniently(path: string): Buffer {
  const bytes = Buffer.alloc(statSync(path).size);
  const file = openSync(path, 'r');
  try {
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      try {
        readSync(file, bytes, at, Math.min(BLOCK_BYTES, bytes.length - at), at);
      } catch (error) {
        if (sqliteCode(error) !== 'EIO') throw error;
      }
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** What is there of whole transactions up to the first thing that is not as it was written. */
function merge(base: Buffer, reader: LogReader): Buffer {
  if (!reader.usable) return base;
  let image = base;
  const open = new Map<number, Buffer>();
  for (const { page, commit, content } of wholeFrames(reader)) {
    open.set(page, Buffer.from(content));
    if (commit === 0) continue;
    const size = commit * content.length;
    if (image.length !== size) image = resized(image, size);
    for (const [number, bytes] of open) bytes.copy(image, (number - 1) * bytes.length);
    open.clear();
  }
  return image;
}

function resized(image: Buffer, size: number): Buffer {
  const grown = Buffer.alloc(size);
  image.copy(grown);
  return grown;
}
