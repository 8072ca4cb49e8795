import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { systemClock, type Clock, type Timer } from '@hawser/seams';
import { FrameReader, type FrameFault } from './frame-reader.ts';
import { encodePublish, type PublishPacket } from './publish-packet.ts';
import type { SessionLink } from './session.ts';
import type { TokenBucket } from './token-bucket.ts';

/** Why a connection was ended by us; also the label of the metric. */
export type ConnectionFault = FrameFault | 'not-reading';

/** Bounds of a connection. */
export interface ConnectionLimits {
  /** One packet, header included. */
  readonly packetBytes: number;
  /** What may wait for the client to read it. */
  readonly writeBufferBytes: number;
  /** How long the client may take until it reads something of what waits for it, in ms. */
  readonly writeStallMs: number;
}

/** Read from the socket before it is paused. */
const READ_AHEAD_BYTES = 64 * 1024;
/** Packets handed on in one turn of the event loop, so that a client that floods leaves turns to others. */
const PACKETS_PER_TURN = 32;
const PUBLISH = 3;
/** Its first byte (MQTT 3.1.1, 3.6). */
const PUBREL = 0x62;

/**
 * The connection of a client as aedes gets it: whole packets come in, no faster than the client may publish; what
 * goes out is never refused, and a client that does not read it is disconnected. (aedes waits with everything that is for
 * a client until its socket has room again, and with it whoever sends to it.)
 */
export class ClientConnection extends Duplex implements SessionLink {
  readonly #socket: Socket;
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #frames: FrameReader;
  readonly #onFault: (fault: ConnectionFault) => void;
  /** Called when publishing was held back. */
  onThrottled: (() => void) | undefined;
  #bucket: TokenBucket | undefined;
  #wanted = false;
  /** A packet that may not be published yet. */
  #held: Buffer | undefined;
  #turn: NodeJS.Immediate | undefined;
  #wait: Timer | undefined;
  #stall: Timer | undefined;
  #sent = 0;
  #corked = false;
  #ended = false;

  constructor(
    socket: Socket,
    limits: ConnectionLimits,
    onFault: (fault: ConnectionFault) => void,
    clock: Clock = systemClock,
  ) {
    // Nothing is kept in this stream: what is written goes to the socket, whose buffer is looked at.
    super({ readableHighWaterMark: 16 * 1024, writableHighWaterMark: Number.MAX_SAFE_INTEGER });
    this.#socket = socket;
    this.#limits = limits;
    this.#onFault = onFault;
    this.#clock = clock;
    this.#frames = new FrameReader(limits.packetBytes);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.#end());
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** From now on no more than this is published. */
  throttle(bucket: TokenBucket): void {
    this.#bucket = bucket;
  }

  /** Bytes that the client has not read. */
  get unread(): number {
    return this.#socket.writableLength;
  }

  deliver(packet: PublishPacket): void {
    this.write(encodePublish(packet));
  }

  release(messageId: number): void {
    this.write(Buffer.from([PUBREL, 2, messageId >> 8, messageId & 0xff]));
  }

  override _read(): void {
    this.#wanted = true;
    this.#schedule();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk);
    done();
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearImmediate(this.#turn);
    this.#wait?.cancel();
    this.#stall?.cancel();
    // What was said last (a refusal) still goes out; a client that does not read it is cut off.
    this.#socket.destroySoon();
    if (this.#socket.writableLength > 0) {
      const cut = this.#clock.setTimer(1000, () => this.#socket.destroy(), { background: true });
      this.#socket.once('close', () => cut.cancel());
    }
    this.#socket.resume();
    done(error);
  }

  #read(chunk: Buffer): void {
    if (this.destroyed) return;
    this.#frames.add(chunk);
    if (this.#frames.bytes >= READ_AHEAD_BYTES + this.#limits.packetBytes) this.#socket.pause();
    this.#schedule();
  }

  #end(): void {
    this.#ended = true;
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#wanted || this.#turn !== undefined || this.#wait !== undefined || this.destroyed) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      this.#hand();
    });
  }

  #hand(): void {
    for (let count = 0; count < PACKETS_PER_TURN && this.#wanted; count += 1) {
      const frame = this.#held ?? this.#frames.next();
      this.#held = undefined;
      if (frame === undefined) {
        this.#more();
        return;
      }
      if (typeof frame === 'string') {
        this.#fail(frame);
        return;
      }
      const waitMs = (frame[0] ?? 0) >> 4 === PUBLISH ? (this.#bucket?.take() ?? 0) : 0;
      if (waitMs > 0) {
        this.#held = frame;
        this.#hold(waitMs);
        return;
      }
      this.#wanted = this.push(frame);
    }
    this.#resume();
    this.#schedule();
  }

  #hold(waitMs: number): void {
    this.onThrottled?.();
    // Timers are exact to a millisecond: with less, many would fire for one packet each.
    this.#wait = this.#clock.setTimer(Math.max(5, waitMs), () => {
      this.#wait = undefined;
      this.#schedule();
    });
  }

  #more(): void {
    if (!this.#ended) {
      // What is there is less than a packet, however much it is.
      this.#socket.resume();
      return;
    }
    this.#wanted = false;
    this.push(null);
  }

  #resume(): void {
    if (this.#socket.isPaused() && this.#frames.bytes < READ_AHEAD_BYTES) this.#socket.resume();
  }

  #send(bytes: Buffer): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes);
    const waiting = this.#socket.writableLength;
    if (waiting > this.#limits.writeBufferBytes) this.#fail('not-reading');
    else if (this.#stall === undefined && waiting > 0) this.#watch();
  }

  /** Once for each time, not for each write: whether anything has left since. */
  #watch(): void {
    this.#sent = this.#socket.bytesWritten - this.#socket.writableLength;
    this.#stall = this.#clock.setTimer(
      this.#limits.writeStallMs,
      () => {
        this.#stall = undefined;
        const waiting = this.#socket.writableLength;
        if (waiting === 0) return;
        if (this.#socket.bytesWritten - waiting === this.#sent) this.#fail('not-reading');
        else this.#watch();
      },
      { background: true },
    );
  }

  #fail(fault: ConnectionFault): void {
    this.#onFault(fault);
    // Nothing more can be said to one that does not read, or that does not speak MQTT.
    this.#socket.destroy();
    this.destroy(new Error(fault));
  }
}
