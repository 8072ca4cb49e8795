import type { ConnectionStats } from '../connection-stats.ts';
import { FRAME, headLength, MAX_HEAD_BYTES, writeHead } from './mux-frame.ts';
import type { MuxStream } from './mux-stream.ts';

/** Size of a full message; also the largest piece that one stream gets while no other wants to send. */
const MESSAGE_BYTES = 64 * 1024;
/** No message is ever larger: control frames are small, and come in before data. */
export const MAX_MESSAGE_BYTES = 2 * MESSAGE_BYTES;
/** The piece that a stream gets in turn while others wait. */
const SHARED_PIECE_BYTES = 16 * 1024;
/**
 * Control frames that may wait. A peer that keeps to its credit provokes about 125 bytes for each stream that it may
 * have open; one that provokes more than this does not read. A waiting frame of 3 bytes takes some 250 of memory.
 */
const MAX_WAITING_CONTROL_BYTES = 128 * 1024;

/** What the sender needs of a WebSocket. */
export interface MessageSink {
  /** Sends one message; `written` is called when it left for the network, or never if the socket died. */
  send(message: Buffer, written: () => void): void;
}

/**
 * Decides what goes onto the wire next: control frames first, then the streams in turn. At most `sendBufferBytes`
 * are handed to the socket ahead of the network, so that what is urgent never waits behind a long queue. Frames
 * queued in the same turn of the event loop share a message.
 */
export class FrameSender {
  readonly #sink: MessageSink;
  readonly #stats: ConnectionStats;
  readonly #bufferBytes: number;
  readonly #onOverflow: () => void;
  #control: Buffer[] = [];
  #controlBytes = 0;
  /** Streams that have something to send, in the order of their turn. */
  readonly #ready = new Set<MuxStream>();
  #scheduled = false;
  #overflowed = false;
  #stopped = false;

  constructor(options: {
    sink: MessageSink;
    stats: ConnectionStats;
    bufferBytes: number;
    /** Called when control frames pile up because the peer does not read. */
    onOverflow: () => void;
  }) {
    this.#sink = options.sink;
    this.#stats = options.stats;
    this.#bufferBytes = options.bufferBytes;
    this.#onOverflow = options.onOverflow;
  }

  /** Queues a control frame. */
  control(frame: Buffer): void {
    if (this.#stopped) return;
    this.#control.push(frame);
    this.#controlBytes += frame.length;
    if (this.#controlBytes > MAX_WAITING_CONTROL_BYTES && !this.#overflowed) {
      this.#overflowed = true; // the CLOSE that follows is queued too, and must not end up here again
      this.#onOverflow();
    }
    this.#schedule();
  }

  /** Takes note that a stream may have something to send. */
  ready(stream: MuxStream): void {
    if (this.#stopped) return;
    this.#ready.add(stream);
    this.#schedule();
  }

  /** Forgets a stream. */
  forget(stream: MuxStream): void {
    this.#ready.delete(stream);
  }

  /** Sends the control frames that are queued without waiting for room: the last ones of a connection. */
  flushControl(): void {
    while (this.#control.length > 0) this.#send(Buffer.concat(this.#takeControl()));
  }

  /** Nothing is sent any more. */
  stop(): void {
    this.#stopped = true;
    this.#control = [];
    this.#controlBytes = 0;
    this.#ready.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    // Once the promises that are settled now have gone on too: an OPEN leaves with what is written to its stream.
    queueMicrotask(() => {
      process.nextTick(() => {
        this.#scheduled = false;
        this.#flush();
      });
    });
  }

  #flush(): void {
    while (!this.#stopped && this.#stats.sendQueueBytes < this.#bufferBytes) {
      const message = this.#nextMessage();
      if (message === undefined) return;
      this.#send(message);
    }
  }

  #send(message: Buffer): void {
    this.#stats.sendQueueBytes += message.length;
    this.#stats.bytesSent += message.length;
    this.#sink.send(message, () => {
      this.#stats.sendQueueBytes -= message.length;
      this.#flush();
    });
  }

  /** As many control frames as one message holds. */
  #takeControl(): Buffer[] {
    let bytes = 0;
    let count = 0;
    for (const frame of this.#control) {
      if (count > 0 && bytes + frame.length > MESSAGE_BYTES) break;
      bytes += frame.length;
      count += 1;
    }
    this.#controlBytes -= bytes;
    return this.#control.splice(0, count);
  }

  #nextMessage(): Buffer | undefined {
    const parts = this.#takeControl();
    let bytes = parts.reduce((sum, frame) => sum + frame.length, 0);
    while (bytes < MESSAGE_BYTES - MAX_HEAD_BYTES) {
      const [stream] = this.#ready;
      if (stream === undefined) break;
      this.#ready.delete(stream);
      if (!stream.isSendable()) continue;
      const turn = this.#ready.size > 0 ? SHARED_PIECE_BYTES : MESSAGE_BYTES;
      const frame = frameOf(stream, Math.min(turn, MESSAGE_BYTES - MAX_HEAD_BYTES - bytes));
      parts.push(frame);
      bytes += frame.length;
      if (stream.isSendable()) this.#ready.add(stream); // to the end of the line
    }
    if (parts.length === 0) return undefined;
    return parts.length === 1 ? parts[0] : Buffer.concat(parts, bytes);
  }
}

function frameOf(stream: MuxStream, limitBytes: number): Buffer {
  const piece = stream.takeData(limitBytes);
  const length = piece?.length ?? 0;
  const frame = Buffer.allocUnsafe(headLength(stream.id, length) + length);
  const at = writeHead(frame, 0, piece === undefined ? FRAME.end : FRAME.data, stream.id, length);
  if (piece === undefined) stream.markEndSent();
  else frame.set(piece, at);
  return frame;
}
