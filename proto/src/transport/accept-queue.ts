import { deferred, type Deferred } from '@hawser/seams';
import type { Stream } from '../stream/stream.ts';

/**
 * Streams that the peer opened and nobody has taken yet. The peer's stream limit bounds it; those that ended before
 * anybody took them are dropped, so that opening and resetting in turn does not fill it.
 */
export class AcceptQueue {
  readonly #waiting = new Set<Stream>();
  #taker: Deferred<Stream | undefined> | undefined;
  #ended = false;

  /** Adds a stream; one that comes after the end is reset. */
  push(stream: Stream): void {
    if (this.#ended) {
      stream.reset();
      return;
    }
    const taker = this.#taker;
    this.#taker = undefined;
    if (taker !== undefined) {
      taker.resolve(stream);
      return;
    }
    this.#waiting.add(stream);
    void stream.closed.then(() => this.#waiting.delete(stream));
  }

  /** The next stream, or undefined after the end. One call at a time. */
  take(): Promise<Stream | undefined> {
    const [stream] = this.#waiting;
    if (stream !== undefined) {
      this.#waiting.delete(stream);
      return Promise.resolve(stream);
    }
    if (this.#ended) return Promise.resolve(undefined);
    if (this.#taker !== undefined) return Promise.reject(new TypeError('one acceptStream at a time'));
    this.#taker = deferred();
    return this.#taker.promise;
  }

  /** No more streams come; those not taken are dropped (their connection fails them). */
  end(): void {
    this.#ended = true;
    this.#waiting.clear();
    this.#taker?.resolve(undefined);
    this.#taker = undefined;
  }
}
