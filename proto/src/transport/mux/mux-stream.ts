import { deferred, type Deferred } from '@hawser/seams';
import { TunnelError } from '../../errors.ts';
import { readAll, type Stream } from '../../stream/stream.ts';
import { ReceiveQueue } from './receive-queue.ts';

/** What a {@link MuxStream} asks of its connection. */
export interface MuxStreamHost {
  /** The stream has something to send, or has stopped having it. */
  streamReady(stream: MuxStream): void;
  /** The reader took bytes: the peer may send so many more. */
  grantWindow(stream: MuxStream, credit: number): void;
  /** This side gives the stream up. */
  streamReset(stream: MuxStream): void;
  /** Both directions have ended and nothing is left to read. */
  streamDone(stream: MuxStream): void;
}

interface PendingWrite {
  readonly data: Uint8Array;
  offset: number;
  readonly done: Deferred<void>;
}

/** A {@link Stream} of the multiplexer. It holds what waits to be read and to be sent; frames are its host's work. */
export class MuxStream implements Stream {
  readonly id: number;
  readonly kind: string;
  readonly closed: Promise<Error | undefined>;
  readonly #host: MuxStreamHost;
  readonly #windowBytes: number;
  readonly #closed = deferred<Error | undefined>();

  // Receiving.
  readonly #received = new ReceiveQueue();
  /** What the peer may still send. */
  #peerCredit: number;
  /** Taken by the reader and not yet granted again. */
  #consumed = 0;
  #peerEnded = false;
  #reader: Deferred<Uint8Array | undefined> | undefined;

  // Sending.
  readonly #writes: PendingWrite[] = [];
  /** What we may still send. */
  #credit: number;
  #end: Deferred<void> | undefined;
  #endSent = false;

  #failure: Error | undefined;
  #done = false;

  constructor(host: MuxStreamHost, id: number, kind: string, windowBytes: number) {
    this.#host = host;
    this.id = id;
    this.kind = kind;
    this.#windowBytes = windowBytes;
    this.#peerCredit = windowBytes;
    this.#credit = windowBytes;
    this.closed = this.#closed.promise;
  }

  // ── the user's side ────────────────────────────────────────────────────────────────────────────────────────

  async read(options: { signal?: AbortSignal } = {}): Promise<Uint8Array | undefined> {
    options.signal?.throwIfAborted();
    const chunk = this.#received.shift();
    if (chunk !== undefined) return this.#consume(chunk);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#peerEnded) return undefined;
    if (this.#reader !== undefined) throw new TypeError(`stream ${this.id}: one read at a time`);
    const reader = deferred<Uint8Array | undefined>();
    this.#reader = reader;
    const onAbort = (): void => {
      this.#reader = undefined;
      reader.reject(options.signal?.reason);
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await reader.promise;
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  async write(data: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#end !== undefined)
      throw new TunnelError('ERR_TUNNEL_ABORTED', `stream ${this.id} was ended by this side`);
    if (data.length === 0) return;
    const write: PendingWrite = { data, offset: 0, done: deferred() };
    this.#writes.push(write);
    this.#host.streamReady(this);
    if (options.signal === undefined) return write.done.promise;
    const { signal } = options;
    const onAbort = (): void => {
      write.done.reject(signal.reason);
      this.reset();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await write.done.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#end === undefined) {
      this.#end = deferred();
      this.#host.streamReady(this);
    }
    return this.#end.promise;
  }

  reset(): void {
    if (this.#failure !== undefined || this.#done) return;
    this.#host.streamReset(this);
    this.fail(new TunnelError('ERR_TUNNEL_ABORTED', `stream ${this.id} was reset by this side`));
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return readAll(this);
  }

  // ── the host's side ────────────────────────────────────────────────────────────────────────────────────────

  /** Whether there is something to put into frames now. */
  isSendable(): boolean {
    if (this.#failure !== undefined || this.#endSent) return false;
    return this.#writes.length > 0 ? this.#credit > 0 : this.#end !== undefined;
  }

  /** Takes up to `limitBytes` to send; `undefined` once only the END is left. Resolves writes that are through. */
  takeData(limitBytes: number): Uint8Array | undefined {
    const write = this.#writes[0];
    if (write === undefined) return undefined;
    const length = Math.min(limitBytes, this.#credit, write.data.length - write.offset);
    const piece = write.data.subarray(write.offset, write.offset + length);
    write.offset += length;
    this.#credit -= length;
    if (write.offset === write.data.length) {
      this.#writes.shift();
      write.done.resolve();
    }
    return piece;
  }

  /** The END was put into a frame. */
  markEndSent(): void {
    this.#endSent = true;
    this.#end?.resolve();
    this.#finishIfDone();
  }

  /** More bytes may be sent. Returns false where the sum is beyond reason. */
  addCredit(credit: number): boolean {
    this.#credit += credit;
    return this.#credit <= 2 ** 31;
  }

  /** Bytes came from the peer. Returns false where it had no right to send them. */
  receive(data: Uint8Array): boolean {
    if (this.#failure !== undefined) return true; // in flight while this side gave up
    if (this.#peerEnded || data.length > this.#peerCredit) return false;
    this.#peerCredit -= data.length;
    if (data.length === 0) return true;
    const reader = this.#reader;
    if (reader === undefined) {
      this.#received.push(data);
    } else {
      this.#reader = undefined;
      reader.resolve(this.#consume(data));
    }
    return true;
  }

  /** The peer sends no more. Returns false where it said so before. */
  receiveEnd(): boolean {
    if (this.#failure !== undefined) return true;
    if (this.#peerEnded) return false;
    this.#peerEnded = true;
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
    this.#finishIfDone();
    return true;
  }

  /** The stream is over: by a reset of either side, or with its connection. */
  fail(error: Error): void {
    if (this.#failure !== undefined || this.#done) return;
    this.#failure = error;
    this.#received.clear();
    this.#reader?.reject(error);
    this.#reader = undefined;
    for (const write of this.#writes.splice(0)) {
      write.done.promise.catch(() => {}); // its writer may have stopped listening
      write.done.reject(error);
    }
    if (!this.#endSent && this.#end !== undefined) {
      this.#end.promise.catch(() => {}); // likewise
      this.#end.reject(error);
    }
    this.#closed.resolve(error);
    this.#host.streamDone(this);
  }

  #consume(chunk: Uint8Array): Uint8Array {
    this.#consumed += chunk.length;
    if (this.#consumed >= this.#windowBytes / 2 && !this.#peerEnded) {
      const credit = this.#consumed;
      this.#consumed = 0;
      this.#peerCredit += credit;
      this.#host.grantWindow(this, credit);
    }
    this.#finishIfDone();
    return chunk;
  }

  #finishIfDone(): void {
    if (this.#done || this.#failure !== undefined) return;
    if (!this.#endSent || !this.#peerEnded || !this.#received.isEmpty) return;
    this.#done = true;
    this.#closed.resolve(undefined);
    this.#host.streamDone(this);
  }
}
