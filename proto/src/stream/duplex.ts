import { Duplex } from 'node:stream';
import { systemClock, type Clock, type Timer } from '@hawser/seams';
import type { Stream } from './stream.ts';

/** Settings of a {@link StreamDuplex}. */
export interface StreamDuplexOptions {
  /** Bytes that are read ahead of the reader, and that writers may give ahead of the stream. Default 16 KiB each. */
  readonly highWaterMark?: number;
  /** For {@link StreamDuplex.setTimeout}. Default: the machine's. */
  readonly clock?: Clock;
}

const HIGH_WATER_MARK = 16 * 1024;

/**
 * A {@link Stream} of the tunnel as a Duplex of Node, for what wants a socket: an HTTP server (`emit('connection')`),
 * an HTTP client (`createConnection`), a pipeline.
 *
 * - Back-pressure holds both ways: it reads from the stream no more than its reader takes, and a write is done when
 *   the stream says that the next one makes sense.
 * - Each direction ends by itself (`allowHalfOpen`): `end()` ends the sending direction, the peer's end is `end`.
 * - A reset by the peer, or the loss of the connection, destroys it with the stream's error, at once and unread bytes
 *   with it. `destroy()` resets the stream, unless both directions have ended.
 */
export class StreamDuplex extends Duplex {
  readonly stream: Stream;
  readonly #clock: Clock;
  #idleMs = 0;
  #activeMs = 0;
  #timer: Timer | undefined;

  constructor(stream: Stream, options: StreamDuplexOptions = {}) {
    const { highWaterMark = HIGH_WATER_MARK, clock = systemClock } = options;
    super({ allowHalfOpen: true, highWaterMark });
    this.stream = stream;
    this.#clock = clock;
  }

  /**
   * As `net.Socket.setTimeout`: emits `timeout` when no byte has come or gone for so long; what to do about it is the
   * listener's business. HTTP servers and clients of Node use it.
   * @param timeoutMs 0: never
   * @param listener is called for the first `timeout`; with 0 it is taken away
   */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    this.#idleMs = timeoutMs;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (listener !== undefined) {
      if (timeoutMs > 0) this.once('timeout', listener);
      else this.removeListener('timeout', listener);
    }
    if (timeoutMs > 0 && !this.destroyed) {
      this.#noteActivity();
      this.#arm(timeoutMs);
    }
    return this;
  }

  override _construct(callback: (error?: Error | null) => void): void {
    // A reader that is busy, or not there, would not see it.
    void this.stream.closed.then((error) => {
      if (error !== undefined) this.destroy(error);
    });
    callback();
  }

  override _read(): void {
    this.stream.read().then(
      (chunk) => {
        this.#noteActivity();
        this.push(chunk ?? null);
      },
      (error: unknown) => this.destroy(error as Error), // streams reject with errors only
    );
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#settle(this.stream.write(chunk), callback);
  }

  /** What was written meanwhile goes as one: a small write costs a frame as a large one does. */
  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#settle(this.stream.write(Buffer.concat(chunks.map(({ chunk }) => chunk))), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#settle(this.stream.end(), callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#idleMs = 0;
    this.#timer?.cancel();
    this.stream.reset(); // harmless once both directions have ended
    callback(error);
  }

  #settle(done: Promise<void>, callback: (error?: Error | null) => void): void {
    done.then(
      () => {
        this.#noteActivity();
        callback();
      },
      (error: unknown) => callback(error as Error), // streams reject with errors only
    );
  }

  #noteActivity(): void {
    if (this.#idleMs > 0) this.#activeMs = this.#clock.monotonicMs();
  }

  /** One timer that looks when the last byte was: setting one anew for each byte would cost more than the byte. */
  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(
      delayMs,
      () => {
        const leftMs = this.#activeMs + this.#idleMs - this.#clock.monotonicMs();
        if (leftMs > 0) {
          this.#arm(leftMs);
          return;
        }
        this.#timer = undefined;
        this.emit('timeout');
      },
      { background: true },
    );
  }
}
