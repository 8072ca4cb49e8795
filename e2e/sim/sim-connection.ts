import { decodeFrame, encodeFrame, type Frame, type OutgoingFrame } from '@hawser/proto';
import type { Dice } from './dice.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How a way between an edge and a hub is. */
export interface LinkQuality {
  /** One way, milliseconds. */
  readonly latencyMs: number;
  /** Infinity: no limit. */
  readonly bytesPerMs: number;
}

/** What a sender may have on its way before it has to wait, bytes; as `sendBufferBytes` of the tunnel. */
const SEND_BUFFER_BYTES = 128 * 1024;

interface Flying {
  readonly bytes: Uint8Array;
  readonly arrivesMs: number;
}

/** One direction: bytes in order, until it is cut. */
class Pipe {
  readonly #time: VirtualTime;
  readonly #quality: LinkQuality;
  readonly #deliver: (bytes: Uint8Array) => void;
  #flying: Flying[] = [];
  #flyingBytes = 0;
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #lastArrivalMs = 0;
  #dead = false;

  constructor(time: VirtualTime, quality: LinkQuality, deliver: (bytes: Uint8Array) => void) {
    this.#time = time;
    this.#quality = quality;
    this.#deliver = deliver;
  }

  /** Most bytes that were ever under way. */
  peakBytes = 0;

  send(bytes: Uint8Array): Promise<void> {
    this.#flyingBytes += bytes.length;
    this.peakBytes = Math.max(this.peakBytes, this.#flyingBytes);
    if (!this.#dead) {
      const nowMs = this.#time.monotonicMs();
      const startMs = Math.max(nowMs + this.#quality.latencyMs, this.#lastArrivalMs);
      const arrivesMs = startMs + bytes.length / this.#quality.bytesPerMs;
      this.#lastArrivalMs = arrivesMs;
      this.#flying.push({ bytes, arrivesMs });
      this.#time.setTimer(arrivesMs - nowMs, () => this.#arrived(bytes));
    }
    if (this.#flyingBytes <= SEND_BUFFER_BYTES) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Nothing that is sent from now on arrives; of what is under way a random number of bytes still does. */
  cut(dice: Dice): void {
    if (this.#dead) return;
    this.#dead = true;
    let left = dice.between(0, this.#flying.reduce((sum, { bytes }) => sum + bytes.length, 0) + 1);
    // What arrives of a frame that is cut in two is no frame.
    this.#flying = this.#flying.filter(({ bytes }) => (left -= bytes.length) >= 0);
  }

  /** The sender knows that it is over. */
  end(error: Error): void {
    this.#dead = true;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting = [];
  }

  #arrived(bytes: Uint8Array): void {
    if (this.#flying[0]?.bytes !== bytes) return; // was cut off
    this.#flying.shift();
    this.#flyingBytes -= bytes.length;
    if (!this.#dead && this.#flyingBytes <= SEND_BUFFER_BYTES) {
      for (const { resolve } of this.#waiting) resolve();
      this.#waiting = [];
    }
    this.#deliver(bytes);
  }
}

/** One side of a {@link SimConnection}. */
export interface SimEnd {
  /** Called with each frame, in order. A throw ends the connection with that error. */
  onFrame(frame: Frame): void;
  /** Called once, when this side knows that the connection is over. */
  onClosed(error: Error): void;
}

export type SimSide = 'edge' | 'hub';

/** Sees the frames of a connection. */
export interface FrameWatcher {
  /** A side is about to send it. */
  sent(connection: SimConnection, from: SimSide, frame: OutgoingFrame): void;
  /** A side is about to take it. */
  taken(connection: SimConnection, by: SimSide, frame: Frame): void;
}

/** A session's connection: two directions, each in order; it can be cut, and each side learns of it when it does. */
export class SimConnection {
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  readonly #ends: Partial<Record<SimSide, SimEnd>> = {};
  readonly #pipes: Readonly<Record<SimSide, Pipe>>;
  readonly #closed = { edge: false, hub: false };
  readonly #watcher: FrameWatcher;

  constructor(time: VirtualTime, dice: Dice, quality: LinkQuality, watcher: FrameWatcher) {
    this.#time = time;
    this.#dice = dice;
    this.#watcher = watcher;
    this.#pipes = {
      edge: new Pipe(time, quality, (bytes) => this.#take('hub', bytes)),
      hub: new Pipe(time, quality, (bytes) => this.#take('edge', bytes)),
    };
  }

  attach(side: SimSide, end: SimEnd): void {
    this.#ends[side] = end;
  }

  /** Whether this side believes that the connection is up. */
  isOpen(side: SimSide): boolean {
    return !this.#closed[side];
  }

  /** Sends a frame from this side. */
  send(from: SimSide, frame: OutgoingFrame): Promise<void> {
    if (this.#closed[from]) return Promise.reject(new Error('the connection is over'));
    this.#watcher.sent(this, from, frame);
    return this.#pipes[from].send(encodeFrame(frame));
  }

  /** Cuts both directions at any byte; each side notices after its own time. */
  cut(noticedAfterMs: { readonly edge: number; readonly hub: number }): void {
    for (const side of ['edge', 'hub'] as const) {
      this.#pipes[side].cut(this.#dice);
      this.#time.setTimer(noticedAfterMs[side], () => this.#close(side, new Error('the connection was cut')));
    }
  }

  /** This side ends it, now; the other one learns of it a moment later. */
  close(side: SimSide, error: Error = new Error(`the ${side} has closed the connection`)): void {
    if (this.#closed[side]) return;
    const other = side === 'edge' ? 'hub' : 'edge';
    this.#pipes[side].cut(this.#dice);
    this.#pipes[other].cut(this.#dice);
    this.#close(side, error);
    this.#time.setTimer(this.#dice.between(0, 20), () => this.#close(other, error));
  }

  /** The process at this side is no more: it learns nothing, the other side sooner or later. */
  abandon(side: SimSide, noticedAfterMs: number): void {
    this.#closed[side] = true;
    const other = side === 'edge' ? 'hub' : 'edge';
    this.#pipes[side].cut(this.#dice);
    this.#pipes[other].cut(this.#dice);
    this.#time.setTimer(noticedAfterMs, () => this.#close(other, new Error(`the ${side} is gone`)));
  }

  #take(side: SimSide, bytes: Uint8Array): void {
    const end = this.#ends[side];
    if (this.#closed[side] || end === undefined) return;
    const frame = decodeFrame(bytes);
    this.#watcher.taken(this, side, frame);
    try {
      end.onFrame(frame);
    } catch (error) {
      this.close(side, error as Error);
    }
  }

  #close(side: SimSide, error: Error): void {
    if (this.#closed[side]) return;
    this.#closed[side] = true;
    this.#pipes[side].end(error);
    this.#ends[side]?.onClosed(error);
  }
}
