import { deferred, systemClock, type Deferred } from '@hawser/seams';
import { messageOf, TunnelError } from '../../errors.ts';
import { readAll, type Stream } from '../../stream/stream.ts';
import type { ConnectionStats } from '../connection-stats.ts';
import type { NativeStream } from './binding.ts';

/** Largest piece that one read takes. */
const READ_BYTES = 64 * 1024;

/** What a {@link QuicStream} is made of. */
export interface QuicStreamOptions {
  readonly native: NativeStream;
  readonly id: number;
  readonly kind: string;
  readonly stats: ConnectionStats;
  /** The error for operations after the connection ended. */
  readonly connectionError: () => Error;
  readonly onDone: (stream: QuicStream) => void;
}

/**
 * A {@link Stream} over a native QUIC stream. Calls into the native side cannot be given up: after a reset or an
 * abort their results are dropped, and at the connection's end they settle.
 */
export class QuicStream implements Stream {
  readonly id: number;
  readonly closed: Promise<Error | undefined>;
  #kind: string;
  readonly #native: NativeStream;
  readonly #options: QuicStreamOptions;
  readonly #closed = deferred<Error | undefined>();
  #reader: Deferred<Uint8Array | undefined> | undefined;
  /** Read ahead of the reader: while this is empty a read is under way, which also notices a reset at once. */
  readonly #received: Uint8Array[] = [];
  #reading = false;
  /** Resolves when everything written so far went through; rejections are each writer's. */
  #written: Promise<unknown> = Promise.resolve();
  readonly #writers = new Set<Deferred<void>>();
  #ending: Promise<void> | undefined;
  #endSent = false;
  #peerEnded = false;
  #failure: Error | undefined;

  constructor(options: QuicStreamOptions) {
    this.#options = options;
    this.#native = options.native;
    this.id = options.id;
    this.#kind = options.kind;
    this.closed = this.#closed.promise;
    this.#readAhead();
  }

  get kind(): string {
    return this.#kind;
  }

  /** The head of an accepted stream was read: what it is for, and the bytes that came with it. */
  begin(kind: string, unread: Uint8Array | undefined): void {
    this.#kind = kind;
    if (unread !== undefined) this.#received.unshift(unread);
  }

  async read(options: { signal?: AbortSignal } = {}): Promise<Uint8Array | undefined> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    const chunk = this.#received.shift();
    if (chunk !== undefined) {
      this.#readAhead();
      this.#finishIfDone();
      return chunk;
    }
    if (this.#peerEnded) return undefined;
    if (this.#reader !== undefined) throw new TypeError(`stream ${this.id}: one read at a time`);
    const reader = deferred<Uint8Array | undefined>();
    this.#reader = reader;
    const onAbort = (): void => {
      this.#reader = undefined;
      reader.reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await reader.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async write(data: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ending !== undefined) {
      throw new TunnelError('ERR_TUNNEL_ABORTED', `stream ${this.id} was ended by this side`);
    }
    if (data.length === 0) return;
    const writer = deferred();
    this.#writers.add(writer);
    this.#written = this.#written.then(() => this.#writeNative(data, writer));
    const onAbort = (): void => {
      writer.reject(signal?.reason);
      this.reset();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await writer.promise;
    } finally {
      this.#writers.delete(writer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  end(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#ending ??= this.#written.then(() => {
      if (this.#failure !== undefined) throw this.#failure;
      this.#native.finishWrite();
      this.#endSent = true;
      this.#finishIfDone();
    });
    return this.#ending;
  }

  reset(): void {
    if (this.#failure !== undefined || this.#isDone) return;
    this.#options.stats.streamsReset += 1;
    this.fail(new TunnelError('ERR_TUNNEL_ABORTED', `stream ${this.id} was reset by this side`));
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return readAll(this);
  }

  /**
   * The stream is over: by a reset of either side, or with its connection. In the latter case the peer is not told
   * about each stream, which could reach it before the reason for which the connection ends.
   */
  fail(error: Error, options: { tellPeer: boolean } = { tellPeer: true }): void {
    if (this.#failure !== undefined || this.#isDone) return;
    this.#failure = error;
    this.#received.length = 0;
    if (options.tellPeer) {
      this.#native.resetWrite();
      this.#native.stopRead();
    }
    this.#reader?.reject(error);
    this.#reader = undefined;
    for (const writer of this.#writers) writer.reject(error);
    this.#ending?.catch(() => {}); // whoever ended it may have stopped listening
    this.#closed.resolve(error);
    this.#options.onDone(this);
  }

  get #isDone(): boolean {
    return this.#endSent && this.#peerEnded && this.#received.length === 0;
  }

  #finishIfDone(): void {
    if (!this.#isDone || this.#failure !== undefined) return;
    this.#closed.resolve(undefined);
    this.#options.onDone(this);
  }

  #readAhead(): void {
    if (this.#reading || this.#peerEnded || this.#failure !== undefined || this.#received.length > 0) return;
    this.#reading = true;
    void this.#readNative();
  }

  async #readNative(): Promise<void> {
    try {
      const chunk = await this.#native.read(READ_BYTES);
      this.#reading = false;
      if (this.#failure !== undefined) return;
      this.#noteReceived(chunk?.length ?? 0);
      const reader = this.#reader;
      this.#reader = undefined;
      if (chunk === null) this.#peerEnded = true;
      else if (reader === undefined) this.#received.push(chunk);
      reader?.resolve(chunk ?? undefined);
      this.#readAhead();
      this.#finishIfDone();
    } catch (error) {
      this.fail(this.#explain(error));
    }
  }

  async #writeNative(data: Uint8Array, writer: Deferred<void>): Promise<void> {
    if (this.#failure !== undefined) return;
    const { stats } = this.#options;
    stats.sendQueueBytes += data.length;
    try {
      await this.#native.write(data);
      stats.bytesSent += data.length;
      stats.lastSentMs = systemClock.monotonicMs();
      writer.resolve();
    } catch (error) {
      this.fail(this.#explain(error));
    } finally {
      stats.sendQueueBytes -= data.length;
    }
  }

  #noteReceived(bytes: number): void {
    this.#options.stats.bytesReceived += bytes;
    this.#options.stats.lastReceivedMs = systemClock.monotonicMs();
  }

  /** The native side tells failures apart by their texts only. */
  #explain(error: unknown): Error {
    const text = messageOf(error);
    if (text.startsWith('stream reset by peer') || text.startsWith('sending stopped by peer')) {
      this.#options.stats.streamsReset += 1;
      return new TunnelError('ERR_TUNNEL_STREAM_RESET', `the peer reset stream ${this.id} (${this.kind})`);
    }
    return this.#options.connectionError();
  }
}
