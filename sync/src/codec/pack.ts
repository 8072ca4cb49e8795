import { deflateRawSync, inflateRawSync, type Inflate } from 'node:zlib';
import { messageOf, SyncError } from '../errors.ts';

/** First byte of packed bytes: what the others are. */
const RAW = 0;
const DEFLATED = 1;

/** Shorter things are not worth a try: deflate alone costs some bytes and 20 µs. */
const WORTH_DEFLATING_BYTES = 64;

/**
 * The largest content that is taken from a peer, bytes. An API server keeps no object above 1.5 MiB; as JSON it may
 * be some times as long where its text has many characters that are escaped.
 */
export const MAX_CONTENT_BYTES = 16 * 1024 * 1024;

/** The largest body of an upstream message or its answer, unpacked, bytes. */
export const MAX_JSON_BYTES = 2 * 1024 * 1024;

/**
 * Packs bytes for travel: one byte that says how, then the bytes as they are or deflated (raw), whichever is
 * shorter.
 */
export function pack(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= WORTH_DEFLATING_BYTES) {
    const deflated = deflateRawSync(bytes, { level: 9 });
    if (deflated.length < bytes.length) return prefixed(DEFLATED, deflated);
  }
  return packRaw(bytes);
}

/** Packs bytes as they are, where time counts more than size. */
export function packRaw(bytes: Uint8Array): Uint8Array {
  return prefixed(RAW, bytes);
}

/**
 * Undoes {@link pack}. Bytes that were not deflated come out as a view of `packed`. Never makes more than
 * `maxBytes`.
 * @param maxBytes default {@link MAX_CONTENT_BYTES}
 * @throws SyncError `ERR_SYNC_BAD_PACK`, `ERR_SYNC_TOO_LARGE`
 */
export function unpack(packed: Uint8Array, maxBytes = MAX_CONTENT_BYTES): Uint8Array {
  switch (packed[0]) {
    case RAW:
      if (packed.length - 1 > maxBytes) throw tooLarge(maxBytes);
      return packed.subarray(1);
    case DEFLATED:
      return inflate(packed.subarray(1), maxBytes);
    case undefined:
      throw new SyncError('ERR_SYNC_BAD_PACK', 'nothing to unpack');
    default:
      throw new SyncError('ERR_SYNC_BAD_PACK', `packed in an unknown way: ${packed[0]}`);
  }
}

/** Packs a JSON value. */
export function packJson(value: unknown): Uint8Array {
  return pack(Buffer.from(JSON.stringify(value)));
}

/**
 * Undoes {@link packJson}.
 * @param maxBytes default {@link MAX_JSON_BYTES}
 * @throws SyncError `ERR_SYNC_BAD_PACK`, `ERR_SYNC_TOO_LARGE`
 */
export function unpackJson(packed: Uint8Array, maxBytes = MAX_JSON_BYTES): unknown {
  return parseJson(unpack(packed, maxBytes), 'ERR_SYNC_BAD_PACK');
}

/** Parses UTF-8 JSON. @throws SyncError of this code on anything that is not */
export function parseJson(bytes: Uint8Array, code: 'ERR_SYNC_BAD_PACK' | 'ERR_SYNC_BAD_CONTENT'): unknown {
  try {
    // Fatal: a byte that is not UTF-8 must not turn into another text.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as unknown;
  } catch (error) {
    throw new SyncError(code, `not JSON: ${messageOf(error)}`, { cause: error });
  }
}

function prefixed(how: number, bytes: Uint8Array): Uint8Array {
  const packed = new Uint8Array(bytes.length + 1);
  packed[0] = how;
  packed.set(bytes, 1);
  return packed;
}

function inflate(deflated: Uint8Array, maxBytes: number): Uint8Array {
  let result: { readonly buffer: Buffer; readonly engine: Inflate };
  try {
    // With `info` the answer is not a buffer, which the types do not know. zlib stops at maxOutputLength itself.
    result = inflateRawSync(deflated, {
      maxOutputLength: Math.max(1, maxBytes),
      info: true,
    }) as unknown as typeof result;
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxBytes);
    throw new SyncError('ERR_SYNC_BAD_PACK', `cannot be inflated: ${messageOf(error)}`, { cause: error });
  }
  if (result.buffer.length > maxBytes) throw tooLarge(maxBytes); // a limit of 0
  if (result.engine.bytesWritten !== deflated.length)
    throw new SyncError('ERR_SYNC_BAD_PACK', 'bytes follow what was deflated');
  // zlib answers with a view of a block of 16 KiB, which whoever keeps a small content would keep too.
  return new Uint8Array(result.buffer);
}

function tooLarge(maxBytes: number): SyncError {
  return new SyncError('ERR_SYNC_TOO_LARGE', `more than ${maxBytes} bytes, unpacked`);
}
