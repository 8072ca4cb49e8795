import { isUtf8 } from 'node:buffer';
import type { ContentHash, ContentKey } from '../content/content.ts';
import { HASH_BYTES, hashFromBytes, hashToBytes } from '../content/hash.ts';
import { MAX_KEY_BYTES, parseKey } from '../content/key.ts';
import { SyncError } from '../errors.ts';
import { pack, unpack } from './pack.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** Most bytes of entries in one message, before they are packed. */
export const MAX_INVENTORY_BYTES = 512 * 1024;

/** Most bytes of one entry: length (two bytes for what a key may have), key, hash. */
const MAX_ENTRY_BYTES = 2 + MAX_KEY_BYTES + HASH_BYTES;

/**
 * Packs a list of what an edge has for `Entries.packed`: one element for each message, at least one. Sorted keys
 * pack best.
 * @throws SyncError `ERR_SYNC_BAD_HASH` for a hash that is none
 */
export function packInventory(entries: Iterable<readonly [ContentKey, ContentHash]>): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let writer = new ByteWriter();
  for (const [key, contentHash] of entries) {
    if (writer.length + MAX_ENTRY_BYTES > MAX_INVENTORY_BYTES) {
      messages.push(pack(writer.written()));
      writer = new ByteWriter();
    }
    const name = Buffer.from(key);
    writer.varint(name.length);
    writer.bytes(name);
    writer.bytes(hashToBytes(contentHash));
  }
  messages.push(pack(writer.written()));
  return messages;
}

/**
 * Reads `Entries.packed` of one message.
 * @throws SyncError `ERR_SYNC_BAD_INVENTORY` where it is malformed or has a key twice, `ERR_SYNC_BAD_KEY`,
 *   `ERR_SYNC_BAD_PACK`, `ERR_SYNC_TOO_LARGE` above 512 KiB of entries
 */
export function unpackInventory(packed: Uint8Array): Map<ContentKey, ContentHash> {
  const reader = new ByteReader(unpack(packed, MAX_INVENTORY_BYTES), bad);
  const entries = new Map<ContentKey, ContentHash>();
  while (!reader.atEnd) {
    const length = reader.varint();
    if (length > MAX_KEY_BYTES) throw bad(`a key of ${length} bytes`);
    const key = textOf(reader.bytes(length));
    parseKey(key);
    if (entries.has(key)) throw bad(`${key} twice`);
    entries.set(key, hashFromBytes(reader.bytes(HASH_BYTES)));
  }
  return entries;
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw bad('a key that is not UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

function bad(why: string): SyncError {
  return new SyncError('ERR_SYNC_BAD_INVENTORY', `inventory: ${why}`);
}
