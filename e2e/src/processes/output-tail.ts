import type { Readable } from 'node:stream';

/** The end of what a process wrote: bounded, so that a noisy one costs no memory. */
export class OutputTail {
  readonly #limit: number;
  #text = '';

  /** @param options limit: most characters kept, default 65536 */
  constructor(options: { limit?: number } = {}) {
    this.#limit = options.limit ?? 65_536;
  }

  get text(): string {
    return this.#text;
  }

  /** Reads a stream to its end. `onText` is called after each piece. */
  collect(stream: Readable, onText: () => void): void {
    stream.setEncoding('utf8');
    stream.on('data', (piece: string) => {
      this.#text = (this.#text + piece).slice(-this.#limit);
      onText();
    });
  }
}
