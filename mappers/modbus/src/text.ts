import { PropertyError, type DriverValue } from '@hawser/mapper-sdk';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Text up to the first NUL: what is behind it is of no meaning in most devices.
 * @throws PropertyError it is not UTF-8
 */
export function decodeText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  try {
    return utf8.decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch (cause) {
    throw new PropertyError('holds bytes that are not UTF-8: see `isSwap`, or use the type BYTES', { cause });
  }
}

/**
 * Text, filled up with NULs.
 * @param room bytes that there are
 * @throws PropertyError it is longer, or has a NUL
 */
export function encodeText(value: DriverValue, room: number): Buffer {
  if (typeof value !== 'string') throw new PropertyError(`takes text, not a ${typeof value}`);
  if (value.includes('\0')) throw new PropertyError('takes no NUL in a text');
  const bytes = Buffer.alloc(room);
  const length = Buffer.byteLength(value);
  if (length > room) throw new PropertyError(`has room for ${room} bytes of text, not for ${length}`);
  bytes.write(value);
  return bytes;
}
