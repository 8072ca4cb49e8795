import type { Http2Session, Http2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { ReadableStreamDefaultReader, WritableStreamDefaultWriter } from 'node:stream/web';
import { deferred, type Deferred } from '@hawser/seams';
import { TunnelError } from '../../errors.ts';
import type { ByteStream } from '../../stream/message-stream.ts';
import type { LibraryStream } from './library.ts';

/** What a WebTransport session runs over. */
export interface SessionBelow {
  readonly stream: Http2Stream;
  readonly session: Http2Session;
  /** At a hub: HTTP/2 would wait for an edge that has begun to leave. */
  readonly tcp?: Socket;
}

/** The one stream of a WebTransport session, as bytes both ways. It lives as long as its HTTP/2 session. */
export class SessionPipe implements ByteStream {
  readonly #http2: Http2Stream;
  readonly #session: Http2Session;
  readonly #tcp: Socket | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** Writes that have not left for the network. */
  #unwritten = 0;
  /** Resolves when there are none, or never will be. */
  #flushed: Deferred<void> | undefined;
  /** Called with bytes as they come. */
  onBytes: () => void = () => {};

  /** @param below the stream that carries the session, and what it runs over */
  constructor(below: SessionBelow, { readable, writable }: LibraryStream) {
    this.#http2 = below.stream;
    this.#session = below.session;
    this.#tcp = below.tcp;
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    this.#countWrites();
  }

  /** Whether anything can still be sent. */
  get isOpen(): boolean {
    return !this.#http2.destroyed && !this.#http2.closed;
  }

  /** @throws TunnelError `ERR_TUNNEL_CONNECTION_LOST` at the end, however it came: no peer ends the stream alone */
  async read(): Promise<Uint8Array> {
    const { value } = await this.#reader.read().catch(() => ({ value: undefined }));
    if (value === undefined)
      throw new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the WebTransport session has ended');
    this.onBytes();
    return value;
  }

  /** Resolves when the bytes have left for the network; the library's own promise does not wait for that. */
  async write(data: Uint8Array): Promise<void> {
    await this.#writer.write(data);
    if (this.#unwritten === 0) return;
    this.#flushed ??= deferred();
    await this.#flushed.promise;
  }

  /** Sends no more; the other side, which hears of it after everything else, ends the session. */
  end(): void {
    this.#http2.end();
  }

  /** Calls `listener` when the session is down, now if it is. */
  onClose(listener: () => void): void {
    if (this.#http2.destroyed) queueMicrotask(listener);
    else this.#http2.once('close', listener);
  }

  /** Calls `listener` when the other side sends no more, once what came before has been read. */
  onEnd(listener: () => void): void {
    this.#http2.once('end', () => setImmediate(listener));
  }

  /** Ends all of it at once, TCP included. */
  destroy(): void {
    this.#session.destroy();
    this.#tcp?.destroy();
  }

  /** Follows what the library writes down to the socket. */
  #countWrites(): void {
    const write = this.#http2.write.bind(this.#http2);
    const written = (): void => {
      this.#unwritten -= 1;
      if (this.#unwritten === 0) this.#settle();
    };
    Object.assign(this.#http2, {
      write: (chunk: Uint8Array) => {
        this.#unwritten += 1;
        return write(chunk, written);
      },
    });
    this.#http2.once('close', () => this.#settle());
  }

  #settle(): void {
    this.#flushed?.resolve();
    this.#flushed = undefined;
  }
}
