import { ClientError } from './client-error.ts';

const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines, however the network cut it into chunks. Holds at most one unfinished line of at
 * most `limitBytes`.
 */
export class LineSplitter {
  readonly #limitBytes: number;
  #pieces: Buffer[] = [];
  #pendingBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * The lines that this chunk completes, without their newline; empty lines are left out.
   * @throws ClientError `ERR_KUBE_CLIENT_TOO_LARGE` when a line exceeds the limit
   */
  *push(chunk: Buffer): Generator<Buffer> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#append(chunk.subarray(start, end));
      start = end + 1;
      const line = this.#take();
      if (line.length > 0) yield line;
    }
    if (start < chunk.length) this.#append(chunk.subarray(start));
  }

  /** What came after the last newline; empty if the stream ended cleanly. */
  rest(): Buffer {
    return this.#take();
  }

  #append(piece: Buffer): void {
    this.#pendingBytes += piece.length;
    if (this.#pendingBytes > this.#limitBytes) {
      throw new ClientError(
        'ERR_KUBE_CLIENT_TOO_LARGE',
        `a line of more than ${this.#limitBytes} bytes was refused`,
      );
    }
    if (piece.length > 0) this.#pieces.push(piece);
  }

  #take(): Buffer {
    const [only] = this.#pieces;
    const line = this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pendingBytes = 0;
    return line;
  }
}
