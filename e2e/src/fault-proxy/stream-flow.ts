import type { Socket } from 'node:net';
import type { Lane, StreamSource, Train, Wire } from './wire.ts';

/**
 * One direction of a proxied connection: takes bytes from one socket when the wire has room, and writes them to
 * the other when they have arrived. It holds at most one read (in `#held`; Node holds another in the socket) and
 * `windowBytes` that are on the way or not yet accepted by the receiver's kernel; beyond that the sender's socket
 * is not read, and TCP slows the sender down.
 */
export class StreamFlow implements StreamSource {
  readonly lane: Lane;
  readonly #wire: Wire;
  readonly #windowBytes: number;
  readonly #flags: (() => void)[] = []; // deliveries of packets without payload; they go before data
  #source: Socket | undefined;
  #sink: Socket | undefined;
  #held: Buffer | undefined;
  #unacceptedBytes = 0;
  #payloadBytes = 0;
  #ended = false; // the sender's end was read, and goes behind what is held
  #closed = false;

  constructor(wire: Wire, options: { windowBytes: number }) {
    this.#wire = wire;
    this.#windowBytes = options.windowBytes;
    this.lane = wire.openLane();
  }

  /** Bytes of payload that were put on the wire. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** Bytes held between the two kernels: read, and not yet accepted by the receiver's. */
  get heldBytes(): number {
    return (this.#source?.readableLength ?? 0) + (this.#held?.length ?? 0) + this.#unacceptedBytes;
  }

  /** Starts to carry what `source` sends to `sink`, with its end. */
  start(source: Socket, sink: Socket): void {
    if (this.#closed) return;
    this.#source = source;
    this.#sink = sink;
    source.on('readable', this.#onReadable);
    source.once('end', this.#onEnd);
    this.#wire.ready(this);
  }

  /** Sends a packet that carries no payload, behind what was sent so far. */
  sendFlag(deliver: () => void): void {
    if (this.#closed) return;
    this.#flags.push(deliver);
    this.#wire.ready(this);
  }

  /**
   * The sender broke the connection: what it had not yet sent is lost, and `deliver` is called when the news
   * arrives. What is on the way arrives before.
   */
  reset(deliver: () => void): void {
    this.#forget();
    this.sendFlag(deliver);
  }

  /** Ends it at once; nothing more arrives. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.#wire.withdraw(this);
    this.#wire.closeLane(this.lane);
  }

  next(limitBytes: number): Train | undefined {
    const flag = this.#flags.shift();
    if (flag !== undefined) return { payloadBytes: 0, deliver: flag };
    const sink = this.#sink;
    const roomBytes = Math.min(limitBytes, this.#windowBytes - this.#unacceptedBytes);
    if (sink === undefined || roomBytes <= 0) return undefined;
    const held = this.#held ?? (this.#source?.read() as Buffer | null | undefined) ?? undefined;
    if (held === undefined) return this.#end(sink);
    const piece = held.subarray(0, roomBytes);
    this.#held = piece.length < held.length ? held.subarray(piece.length) : undefined;
    this.#unacceptedBytes += piece.length;
    this.#payloadBytes += piece.length;
    return { payloadBytes: piece.length, deliver: () => this.#write(sink, piece) };
  }

  #end(sink: Socket): Train | undefined {
    if (!this.#ended) return undefined;
    this.#ended = false;
    return { payloadBytes: 0, deliver: () => sink.end() };
  }

  #write(sink: Socket, piece: Buffer): void {
    if (sink.writableCorked === 0) {
      sink.cork(); // what arrives in the same turn goes out in one system call
      process.nextTick(() => sink.uncork());
    }
    sink.write(piece, () => {
      this.#unacceptedBytes -= piece.length;
      if (!this.#closed) this.#wire.ready(this); // it may have waited for the window
    });
  }

  readonly #onReadable = (): void => {
    this.#wire.ready(this);
  };

  readonly #onEnd = (): void => {
    this.#detach();
    this.#ended = true;
    this.#wire.ready(this);
  };

  /** Drops all that was not yet put on the wire. */
  #forget(): void {
    this.#detach();
    this.#sink = undefined;
    this.#held = undefined;
    this.#ended = false;
    this.#flags.length = 0;
  }

  #detach(): void {
    this.#source?.off('readable', this.#onReadable);
    this.#source?.off('end', this.#onEnd);
    this.#source = undefined;
  }
}
