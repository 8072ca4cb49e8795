import { TunnelError } from '../../src/index.ts';
import { readAll, type Stream } from '../../src/stream/stream.ts';

/**
 * A {@link Stream} that gives chunks which are there already, then its end (or waits for ever where `ends` is
 * false), and keeps what is written.
 */
export class MemoryStream implements Stream {
  readonly id = 1;
  readonly kind = 'memory';
  readonly closed = new Promise<Error | undefined>(() => {});
  readonly written: Uint8Array[] = [];
  reads = 0;
  readonly #chunks: Iterator<Uint8Array>;
  readonly #ends: boolean;
  #reset = false;

  constructor(chunks: Iterable<Uint8Array>, options: { ends?: boolean } = {}) {
    this.#chunks = chunks[Symbol.iterator]();
    this.#ends = options.ends ?? true;
  }

  read(): Promise<Uint8Array | undefined> {
    this.reads += 1;
    if (this.#reset) return Promise.reject(new TunnelError('ERR_TUNNEL_ABORTED', 'reset'));
    const next = this.#chunks.next();
    if (next.done !== true) return Promise.resolve(next.value);
    return this.#ends ? Promise.resolve(undefined) : new Promise(() => {});
  }

  write(data: Uint8Array): Promise<void> {
    this.written.push(Buffer.from(data));
    return Promise.resolve();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  reset(): void {
    this.#reset = true;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return readAll(this);
  }
}
