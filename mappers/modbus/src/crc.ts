const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  return crc;
});

/** The checksum of an RTU frame (Modbus over Serial Line 1.02, 6.2.2), as the number that is sent low byte first. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  // Indices below 256: every entry is there.
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return crc;
}

/** `payload` with its checksum behind it. */
export function withCrc(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(payload.length + 2);
  frame.set(payload);
  frame.writeUInt16LE(crc16(payload), payload.length);
  return frame;
}
