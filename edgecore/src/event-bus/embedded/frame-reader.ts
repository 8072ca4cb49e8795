/** What is wrong with a stream of bytes. */
export type FrameFault = 'packet-too-large' | 'malformed';

/** Pieces that a packet is kept in. */
const CHUNKS_MAX = 64;

/** Cuts a stream of bytes into packets of MQTT by their fixed headers (MQTT 3.1.1, 2.2). */
export class FrameReader {
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Length of the packet at the front, header included, once its header is there. */
  #wanted: number | undefined;

  /** @param limitBytes of one packet, header included */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes that wait for the rest of their packet, or to be taken. */
  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Somebody who sends byte by byte must not have a buffer kept for each.
    if (this.#chunks.length > CHUNKS_MAX) this.#chunks = [Buffer.concat(this.#chunks)];
  }

  /**
   * The next whole packet.
   * @returns undefined: not there yet; a fault: nothing of this stream can be used any more
   */
  next(): Buffer | FrameFault | undefined {
    this.#wanted ??= this.#lengthOfNext();
    if (this.#wanted === undefined) return undefined;
    if (Number.isNaN(this.#wanted)) return 'malformed';
    if (this.#wanted > this.#limitBytes) return 'packet-too-large';
    if (this.#bytes < this.#wanted) return undefined;
    const frame = this.#take(this.#wanted);
    this.#wanted = undefined;
    return frame;
  }

  #lengthOfNext(): number | undefined {
    if (this.#bytes < 2) return undefined;
    const head = this.#front(5);
    let value = 0;
    for (let at = 1; at < head.length; at += 1) {
      const byte = head[at] ?? 0;
      value += (byte & 0x7f) * 128 ** (at - 1);
      if ((byte & 0x80) === 0) return 1 + at + value;
    }
    return head.length < 5 ? undefined : NaN;
  }

  /** The first bytes, copied only where they lie in several chunks. */
  #front(length: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= length) return first.subarray(0, length);
    return Buffer.concat(this.#chunks).subarray(0, length);
  }

  #take(length: number): Buffer {
    const [first] = this.#chunks;
    if (first === undefined || first.length < length) this.#chunks = [Buffer.concat(this.#chunks)];
    const whole = this.#chunks[0] ?? Buffer.alloc(0);
    if (whole.length === length) this.#chunks.shift();
    else this.#chunks[0] = whole.subarray(length);
    this.#bytes -= length;
    return whole.subarray(0, length);
  }
}
