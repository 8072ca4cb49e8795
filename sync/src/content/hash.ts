import { hash } from 'node:crypto';
import { SyncError } from '../errors.ts';
import type { ContentHash } from './content.ts';

/** Bytes of a hash as it travels. */
export const HASH_BYTES = 16;

/** The hash of a content's canonical bytes. */
export function hashOf(bytes: Uint8Array): ContentHash {
  return hash('sha256', bytes, 'hex').slice(0, 2 * HASH_BYTES);
}

/** A hash as it travels, 16 bytes. @throws SyncError `ERR_SYNC_BAD_HASH` */
export function hashToBytes(contentHash: ContentHash): Uint8Array {
  const bytes = Buffer.from(contentHash, 'hex');
  if (bytes.length !== HASH_BYTES || contentHash.length !== 2 * HASH_BYTES)
    throw new SyncError('ERR_SYNC_BAD_HASH', `not a hash: ${contentHash.slice(0, 40)}`);
  return bytes;
}

/** A hash from 16 bytes of a peer. @throws SyncError `ERR_SYNC_BAD_HASH` */
export function hashFromBytes(bytes: Uint8Array): ContentHash {
  if (bytes.length !== HASH_BYTES)
    throw new SyncError('ERR_SYNC_BAD_HASH', `a hash has ${HASH_BYTES} bytes, not ${bytes.length}`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
