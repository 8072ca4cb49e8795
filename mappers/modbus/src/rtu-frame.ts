import { crc16 } from './crc.ts';

/** What a frame has to be to answer a request. */
export interface Expected {
  /** The request as it was sent: unit, function code, data, CRC. */
  readonly request: Buffer;
}

const EXCEPTION_BYTES = 5;
const ECHO_BYTES = 8;
const MASK_ECHO_BYTES = 10;
const EXCEPTION_FLAG = 0x80;
const CRC_BYTES = 2;

/**
 * Finds the answer to a request in what came over a serial line, noise before and behind it included.
 * @returns the frame with its CRC, which is right
 */
export function findFrame(received: Buffer, expected: Expected): Buffer | undefined {
  const unit = expected.request.readUInt8(0);
  const code = expected.request.readUInt8(1);
  for (let at = 0; at + EXCEPTION_BYTES <= received.length; at += 1) {
    if (received[at] !== unit) continue;
    const length = lengthAt(received, at, code, expected.request);
    if (length === undefined || at + length > received.length) continue;
    const frame = received.subarray(at, at + length);
    if (crc16(frame.subarray(0, -CRC_BYTES)) === frame.readUInt16LE(length - CRC_BYTES)) return frame;
  }
  return undefined;
}

/** How long the answer would be that begins here; undefined where it cannot be one. */
function lengthAt(received: Buffer, at: number, code: number, request: Buffer): number | undefined {
  if (received[at + 1] === (code | EXCEPTION_FLAG)) return EXCEPTION_BYTES;
  if (received[at + 1] !== code) return undefined;
  switch (code) {
    case 1:
    case 2: {
      const bytes = Math.ceil(request.readUInt16BE(4) / 8);
      return received[at + 2] === bytes ? 3 + bytes + CRC_BYTES : undefined;
    }
    case 3:
    case 4: {
      const bytes = 2 * request.readUInt16BE(4);
      return received[at + 2] === bytes ? 3 + bytes + CRC_BYTES : undefined;
    }
    case 22:
      return MASK_ECHO_BYTES;
    default: // 5, 6, 15, 16
      return ECHO_BYTES;
  }
}
