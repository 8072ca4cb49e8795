import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, deflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';
import { ByteReader, ByteWriter } from '../codec/varint.ts';
import type { Content, ContentKey } from '../content/content.ts';
import { hashOf } from '../content/hash.ts';
import { MAX_KEY_BYTES, parseKey } from '../content/key.ts';
import { messageOf, SyncError } from '../errors.ts';
import { MAX_VERSION_DIGITS } from './state-version.ts';

/** A committed state of a scope, as it is kept. */
export interface PoolSnapshot {
  /** The signed state. */
  readonly stamp: Uint8Array;
  /** Version of the normal form of the contents. */
  readonly normalForm: number;
  /** `PoolView.changed`. */
  readonly changed: string;
  readonly contents: Iterable<Content>;
}

/** First byte of a snapshot: how the rest is written. */
const FORMAT = 1;
/** Of SHA-256 over what is deflated: tells damage from forgery, and covers what the hub has not signed. */
const SUM_BYTES = 16;
/** Most bytes of an object beside its content: lengths, key, version. */
const MAX_OVERHEAD_BYTES = 16 + MAX_KEY_BYTES + MAX_VERSION_DIGITS;
const MAX_STAMP_BYTES = 4 * 1024;
/** The fastest level: a third more bytes, in a third of the time. */
const DEFLATE = { level: constants.Z_BEST_SPEED };
/** More than this is deflated in a thread: 20 ms and more of a loop that others wait for. */
const ASIDE_ABOVE_BYTES = 1024 * 1024;

/**
 * `format (1 byte), sum (16), deflated: varint normal form, stamp and the version of the last change, each after its
 * length, varint count, then for each object key, version and content, each after its length`. Hashes are made anew
 * from the contents.
 */
export function writeSnapshot(snapshot: PoolSnapshot): Uint8Array {
  return sealed(deflateRawSync(unpacked(snapshot), DEFLATE));
}

/** {@link writeSnapshot} of the state at the time of the call; where it is large, the loop does not wait for it. */
export async function writeSnapshotAside(snapshot: PoolSnapshot): Promise<Uint8Array> {
  const bytes = unpacked(snapshot);
  if (bytes.length <= ASIDE_ABOVE_BYTES) return sealed(deflateRawSync(bytes, DEFLATE));
  return sealed(await promisify(deflateRaw)(bytes, DEFLATE));
}

function sealed(deflated: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(FORMAT), sumOf(deflated), deflated]);
}

function unpacked({ stamp, normalForm, changed, contents }: PoolSnapshot): Uint8Array {
  const writer = new ByteWriter(64 * 1024);
  const put = (bytes: Uint8Array): void => {
    writer.varint(bytes.length);
    writer.bytes(bytes);
  };
  const all = [...contents];
  writer.varint(normalForm);
  put(stamp);
  put(Buffer.from(changed));
  writer.varint(all.length);
  for (const { key, version, bytes } of all) {
    put(Buffer.from(key));
    put(Buffer.from(version));
    put(bytes);
  }
  return writer.written();
}

/**
 * Undoes {@link writeSnapshot}; the signature is the caller's to check.
 * @throws SyncError `ERR_SYNC_BAD_PACK` where it is damaged or of a later release, `ERR_SYNC_TOO_LARGE`
 */
export function readSnapshot(
  snapshot: Uint8Array,
  limits: { readonly objects: number; readonly bytes: number },
): PoolSnapshot & { readonly contents: readonly Content[] } {
  if (snapshot[0] !== FORMAT) throw bad('of an unknown format');
  const deflated = snapshot.subarray(1 + SUM_BYTES);
  if (Buffer.compare(snapshot.subarray(1, 1 + SUM_BYTES), sumOf(deflated)) !== 0) throw bad('damaged');
  const reader = new ByteReader(inflate(deflated, limits), bad);
  const take = (maxBytes: number): Uint8Array => {
    const length = reader.varint();
    if (length > maxBytes) throw bad(`${length} bytes where ${maxBytes} are the most`);
    return reader.bytes(length);
  };
  const normalForm = reader.varint();
  const stamp = new Uint8Array(take(MAX_STAMP_BYTES));
  const changed = textOf(take(MAX_VERSION_DIGITS));
  const count = reader.varint();
  const contents = new Map<ContentKey, Content>();
  for (let index = 0; index < count; index += 1) {
    const key = textOf(take(MAX_KEY_BYTES));
    parseKey(key);
    const version = textOf(take(MAX_VERSION_DIGITS));
    const bytes = new Uint8Array(take(limits.bytes));
    contents.set(key, { key, hash: hashOf(bytes), version, bytes });
  }
  if (!reader.atEnd || contents.size !== count) throw bad('not what its head says');
  return { stamp, normalForm, changed, contents: [...contents.values()] };
}

function inflate(deflated: Uint8Array, limits: { readonly objects: number; readonly bytes: number }): Buffer {
  const maxBytes = limits.bytes + MAX_STAMP_BYTES + limits.objects * MAX_OVERHEAD_BYTES;
  try {
    return inflateRawSync(deflated, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError)
      throw new SyncError('ERR_SYNC_TOO_LARGE', `a snapshot of more than ${maxBytes} bytes`, { cause });
    throw bad(messageOf(cause));
  }
}

function sumOf(deflated: Uint8Array): Uint8Array {
  return createHash('sha256').update(deflated).digest().subarray(0, SUM_BYTES);
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw bad('a text that is not UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

function bad(why: string): SyncError {
  return new SyncError('ERR_SYNC_BAD_PACK', `a snapshot: ${why}`);
}
