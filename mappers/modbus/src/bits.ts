/** `count` coils from the one at `from` on, out of packed ones; the rest of the last byte is 0. */
export function sliceBits(packed: Buffer, from: number, count: number): Buffer {
  const result = Buffer.alloc(Math.ceil(count / 8));
  for (let at = 0; at < count; at += 1) {
    const bit = from + at;
    // Callers ask for what is there; beyond the end a coil would read as off.
    if ((((packed[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1)
      result[at >> 3] = (result[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return result;
}

/** Packed coils one by one. */
export function unpackBits(packed: Buffer, count: number): boolean[] {
  return Array.from({ length: count }, (_, at) => (((packed[at >> 3] ?? 0) >> (at & 7)) & 1) === 1);
}
