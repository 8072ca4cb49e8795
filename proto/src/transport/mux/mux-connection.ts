import { deferred, systemClock, type Deferred } from '@hawser/seams';
import { decodeStreamOpen, encodeStreamOpen } from '../../codec/codec.ts';
import { messageOf, TunnelError } from '../../errors.ts';
import type { PeerIdentity } from '../../identity/peer-identity.ts';
import type { TunnelLimits } from '../../limits.ts';
import type { Stream } from '../../stream/stream.ts';
import { checkStreamKind } from '../../stream/stream-kind.ts';
import { AcceptQueue } from '../accept-queue.ts';
import {
  closeError,
  decodeCloseReason,
  encodeCloseReason,
  reasonFor,
  type CloseReason,
} from '../close-reason.ts';
import { ConnectionStats } from '../connection-stats.ts';
import { StreamCredit } from '../stream-credit.ts';
import type { Connection } from '../transport.ts';
import type { Carrier, CarrierEvents } from './carrier.ts';
import { FrameSender } from './frame-sender.ts';
import {
  badFrame,
  decodeCredit,
  decodeMuxFrames,
  encodeCredit,
  encodeMuxFrame,
  FRAME,
  IGNORABLE_TYPES_FROM,
  type MuxFrame,
} from './mux-frame.ts';
import { MuxStream, type MuxStreamHost } from './mux-stream.ts';

/** What a {@link MuxConnection} is made of. */
export interface MuxConnectionOptions {
  readonly carrier: Carrier;
  /** Whether this side dialled: the dialer's streams have odd ids, the listener's even ones. */
  readonly dialer: boolean;
  readonly peer: PeerIdentity;
  readonly remoteAddress: string;
  readonly limits: TunnelLimits;
}

/** A {@link Connection} over one carrier whose peer is verified: streams by multiplexing, see mux-frame.ts. */
export class MuxConnection implements Connection, CarrierEvents, MuxStreamHost {
  readonly transport: string;
  readonly peer: PeerIdentity;
  readonly remoteAddress: string;
  readonly stats = new ConnectionStats(systemClock.monotonicMs());
  readonly closed: Promise<CloseReason>;
  readonly #carrier: Carrier;
  readonly #limits: TunnelLimits;
  readonly #dialer: boolean;
  readonly #sender: FrameSender;
  readonly #streams = new Map<number, MuxStream>();
  readonly #accepted = new AcceptQueue();
  readonly #credit: StreamCredit;
  readonly #closed = deferred<CloseReason>();
  /** Resolves when the carrier is down, which may be later than {@link closed}. */
  readonly #down = deferred();
  #nextId: number;
  #lastPeerId = 0;
  /** Streams of the peer that ended since it was last given credit. */
  #endedPeerStreams = 0;
  /** Streams that the peer may still open. */
  #peerCredit: number;
  #ping: { readonly sentMs: number; readonly answer: Deferred<number> } | undefined;
  /** Whether the answer to a ping of the peer waits for the network. */
  #answering = false;
  #unansweredPing: Buffer | undefined;
  #ended: CloseReason | undefined;

  constructor(options: MuxConnectionOptions) {
    this.#carrier = options.carrier;
    this.transport = options.carrier.transport;
    this.peer = options.peer;
    this.remoteAddress = options.remoteAddress;
    this.#limits = options.limits;
    this.#dialer = options.dialer;
    this.#nextId = options.dialer ? 1 : 2;
    this.#peerCredit = options.limits.maxStreams;
    this.#credit = new StreamCredit(options.limits.maxStreams);
    this.closed = this.#closed.promise;
    this.#sender = new FrameSender({
      sink: { send: (message, written) => this.#sendMessage(message, written) },
      stats: this.stats,
      bufferBytes: options.limits.sendBufferBytes,
      onOverflow: () => this.onViolation(new TunnelError('ERR_TUNNEL_LIMIT', 'the peer does not read')),
    });
  }

  /** Begins to read. */
  start(): void {
    this.#carrier.start(this);
  }

  async openStream(kind: string, options: { signal?: AbortSignal } = {}): Promise<Stream> {
    checkStreamKind(kind);
    await this.#credit.take(options.signal);
    if (this.#ended !== undefined) throw closeError(this.#ended);
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = this.#addStream(id, kind);
    this.stats.streamsOpened += 1;
    this.#sender.control(encodeMuxFrame(FRAME.open, id, encodeStreamOpen(kind)));
    return stream;
  }

  acceptStream(): Promise<Stream | undefined> {
    return this.#accepted.take();
  }

  ping(): Promise<number> {
    if (this.#ended !== undefined) return Promise.reject(closeError(this.#ended));
    if (this.#ping === undefined) {
      this.#ping = { sentMs: systemClock.monotonicMs(), answer: deferred() };
      this.stats.lastSentMs = this.#ping.sentMs;
      this.#carrier.ping();
    }
    return this.#ping.answer.promise;
  }

  async close(reason: CloseReason): Promise<void> {
    if (this.#ended === undefined) {
      this.#carrier.cork(); // CLOSE and the carrier's own goodbye leave in one packet
      this.#sender.control(encodeMuxFrame(FRAME.close, 0, encodeCloseReason(reason)));
      this.#sender.flushControl();
      this.#finish(reason);
      process.nextTick(() => this.#carrier.uncork());
    }
    await this.#shutDown();
  }

  destroy(reason: CloseReason): void {
    this.#finish(reason);
    this.#carrier.terminate();
  }

  // ── frames in ──────────────────────────────────────────────────────────────────────────────────────────────

  onMessage(message: Buffer): void {
    if (this.#ended !== undefined) return;
    this.stats.bytesReceived += message.length;
    try {
      for (const frame of decodeMuxFrames(message)) {
        this.#onFrame(frame);
        // A stream's reader, or a CLOSE, may have ended the connection meanwhile.
        if (this.#hasEnded()) return;
      }
    } catch (error) {
      this.onViolation(error instanceof TunnelError ? error : badFrame(messageOf(error)));
    }
  }

  #onFrame(frame: MuxFrame): void {
    switch (frame.type) {
      case FRAME.open: {
        this.#onOpen(frame);
        return;
      }
      case FRAME.data:
        if (this.#streamOf(frame)?.receive(frame.payload) === false) {
          throw new TunnelError(
            'ERR_TUNNEL_FLOW_CONTROL',
            `more than the window, or after the end, on stream ${frame.streamId}`,
          );
        }
        return;
      case FRAME.end:
        if (this.#streamOf(frame)?.receiveEnd() === false)
          throw badFrame(`a second end on stream ${frame.streamId}`);
        return;
      case FRAME.reset: {
        this.#onReset(frame);
        return;
      }
      case FRAME.window: {
        const credit = decodeCredit(frame.payload);
        const stream = this.#streamOf(frame);
        if (stream?.addCredit(credit) === false)
          throw new TunnelError('ERR_TUNNEL_FLOW_CONTROL', 'window beyond 2 GiB');
        if (stream !== undefined) this.streamReady(stream);
        return;
      }
      case FRAME.streams:
        if (!this.#credit.add(decodeCredit(frame.payload))) {
          throw new TunnelError('ERR_TUNNEL_FLOW_CONTROL', 'stream credit beyond reason');
        }
        return;
      case FRAME.close:
        this.#finish(decodeCloseReason(frame.payload));
        this.#carrier.terminate(); // the peer waits for the end of the connection, and for no more words
        return;
      default:
        if (frame.type >= IGNORABLE_TYPES_FROM) return;
        throw new TunnelError('ERR_TUNNEL_UNKNOWN_FRAME', `multiplexer frame of type ${frame.type}`);
    }
  }

  #onOpen(frame: MuxFrame): void {
    const { streamId: id } = frame;
    if (id % 2 !== (this.#dialer ? 0 : 1) || id <= this.#lastPeerId)
      throw badFrame(`stream ${id} opened out of order`);
    if (this.#peerCredit === 0) {
      throw new TunnelError('ERR_TUNNEL_LIMIT', `more than ${this.#limits.maxStreams} streams`);
    }
    const kind = decodeStreamOpen(frame.payload);
    checkStreamKind(kind);
    this.#lastPeerId = id;
    this.#peerCredit -= 1;
    this.stats.streamsAccepted += 1;
    this.#accepted.push(this.#addStream(id, kind));
  }

  #onReset(frame: MuxFrame): void {
    const stream = this.#streamOf(frame);
    if (stream === undefined) return;
    this.stats.streamsReset += 1;
    stream.fail(
      new TunnelError('ERR_TUNNEL_STREAM_RESET', `the peer reset stream ${stream.id} (${stream.kind})`),
    );
  }

  /** The stream of a frame; undefined where it has ended, as frames in flight may come after a reset. */
  #streamOf(frame: MuxFrame): MuxStream | undefined {
    const { streamId: id } = frame;
    const stream = this.#streams.get(id);
    if (stream !== undefined) return stream;
    const opened = id % 2 === this.#nextId % 2 ? id < this.#nextId : id <= this.#lastPeerId;
    if (id === 0 || !opened)
      throw badFrame(`frame of type ${frame.type} for stream ${id}, which was never opened`);
    return undefined;
  }

  // ── what streams ask for ───────────────────────────────────────────────────────────────────────────────────

  streamReady(stream: MuxStream): void {
    if (stream.isSendable()) this.#sender.ready(stream);
  }

  grantWindow(stream: MuxStream, credit: number): void {
    this.#sender.control(encodeMuxFrame(FRAME.window, stream.id, encodeCredit(credit)));
  }

  streamReset(stream: MuxStream): void {
    this.stats.streamsReset += 1;
    this.#sender.control(encodeMuxFrame(FRAME.reset, stream.id));
  }

  streamDone(stream: MuxStream): void {
    this.#sender.forget(stream);
    if (!this.#streams.delete(stream.id)) return;
    this.stats.openStreams -= 1;
    if (stream.id % 2 === this.#nextId % 2 || this.#ended !== undefined) return;
    this.#endedPeerStreams += 1;
    // Given back in batches, so that short streams do not cost a frame each.
    if (this.#endedPeerStreams * 4 < this.#limits.maxStreams) return;
    this.#sender.control(encodeMuxFrame(FRAME.streams, 0, encodeCredit(this.#endedPeerStreams)));
    this.#peerCredit += this.#endedPeerStreams;
    this.#endedPeerStreams = 0;
  }

  #addStream(id: number, kind: string): MuxStream {
    const stream = new MuxStream(this, id, kind, this.#limits.streamWindowBytes);
    this.#streams.set(id, stream);
    this.stats.openStreams += 1;
    return stream;
  }

  // ── what the carrier tells ─────────────────────────────────────────────────────────────────────────────────

  onBytes(): void {
    this.stats.lastReceivedMs = systemClock.monotonicMs();
  }

  /**
   * One answer is under way at a time, and then the latest ping is answered, so that a peer which pings and does not
   * read makes nothing pile up. Source: RFC 6455, section 5.5.3.
   */
  onPing(data: Buffer): void {
    if (this.#answering) this.#unansweredPing = data;
    else this.#answerPing(data);
  }

  onPong(): void {
    const nowMs = systemClock.monotonicMs();
    const ping = this.#ping;
    this.#ping = undefined;
    ping?.answer.resolve(nowMs - ping.sentMs);
  }

  /** The peer broke the protocol: it is told so, and the connection ends. */
  onViolation(error: TunnelError): void {
    void this.close(reasonFor(error));
  }

  onError(reason: CloseReason): void {
    this.#finish(reason);
    this.#carrier.terminate();
  }

  onClosed(message: string): void {
    this.#finish({ code: 'connection-lost', message, by: 'remote' });
    this.#down.resolve();
  }

  #sendMessage(message: Buffer, written: () => void): void {
    if (!this.#carrier.isOpen) return;
    this.stats.lastSentMs = systemClock.monotonicMs();
    this.#carrier.send(message, written);
  }

  #answerPing(data: Buffer): void {
    if (!this.#carrier.isOpen) return;
    this.#answering = true;
    this.stats.lastSentMs = systemClock.monotonicMs();
    this.#carrier.pong(data, () => {
      this.#answering = false;
      const latest = this.#unansweredPing;
      this.#unansweredPing = undefined;
      if (latest !== undefined) this.#answerPing(latest);
    });
  }

  #hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  #finish(reason: CloseReason): void {
    if (this.#ended !== undefined) return;
    this.#ended = { by: 'local', ...reason };
    this.#sender.stop();
    const error = closeError(this.#ended);
    for (const stream of [...this.#streams.values()]) stream.fail(error);
    this.#credit.fail(error);
    this.#accepted.end();
    if (this.#ping !== undefined) {
      this.#ping.answer.promise.catch(() => {}); // whoever pinged may have stopped listening
      this.#ping.answer.reject(error);
    }
    this.#closed.resolve(this.#ended);
  }

  /** The carrier's own goodbye, or the end of patience. */
  async #shutDown(): Promise<void> {
    if (this.#carrier.isClosed) return;
    this.#carrier.close();
    const patience = systemClock.setTimer(this.#limits.closeTimeoutMs, () => this.#carrier.terminate());
    await this.#down.promise;
    patience.cancel();
  }
}
