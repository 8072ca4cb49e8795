import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { APPLICATION_ID } from './schema.ts';

/** What every file of ours has in the first 24 bytes of its header (file format, section 1.3) and in its encoding. */
const HEADER_CONSTANTS: readonly { readonly at: number; readonly bytes: Buffer }[] = [
  { at: 0, bytes: Buffer.from('SQLite format 3\0\x04\x00\x02\x02\x00\x40\x20\x20', 'latin1') },
  { at: 44, bytes: Buffer.from([0, 0, 0, 4]) },
  { at: 52, bytes: Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]) },
];

/**
 * Whether the constants of the header of an installed database are what they must be. SQLite takes some of them as they
 * come: a flipped bit makes the file one that it only reads.
 */
export function headerHolds(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    return HEADER_CONSTANTS.every(({ at, bytes }) => {
      const present = Buffer.alloc(bytes.length);
      readSync(file, present, 0, present.length, at);
      return present.equals(bytes);
    });
  } finally {
    closeSync(file);
  }
}

/** Where the header has the mark of our files. */
const APPLICATION_ID_AT = 68;

/**
 * Writes the constants of the header again, so that a file of ours with damage there only can be read at all. It must
 * be one that is about to be set aside.
 */
export function repairHeader(path: string): void {
  const file = openSync(path, 'r+');
  try {
    const mark = Buffer.alloc(4);
    readSync(file, mark, 0, mark.length, APPLICATION_ID_AT);
    if (mark.readUInt32BE() !== APPLICATION_ID) return;
    for (const { at, bytes } of HEADER_CONSTANTS) {
      const present = Buffer.alloc(bytes.length);
      if (readSync(file, present, 0, present.length, at) < present.length) return;
      if (!present.equals(bytes)) writeSync(file, bytes, 0, bytes.length, at);
    }
  } finally {
    closeSync(file);
  }
}
