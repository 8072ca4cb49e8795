import { deferred, systemClock, type Deferred } from '@hawser/seams';
import { decodeStreamOpen, encodeConnectionFrame, encodeStreamOpen } from '../../codec/codec.ts';
import { messageOf, TunnelError } from '../../errors.ts';
import type { PeerIdentity } from '../../identity/peer-identity.ts';
import type { TunnelLimits } from '../../limits.ts';
import { frameMessage, MessageStream } from '../../stream/message-stream.ts';
import type { Stream } from '../../stream/stream.ts';
import { checkStreamKind } from '../../stream/stream-kind.ts';
import { AcceptQueue } from '../accept-queue.ts';
import { closeError, fromCloseNotice, reasonFor, toCloseNotice, type CloseReason } from '../close-reason.ts';
import { ConnectionStats } from '../connection-stats.ts';
import { nextFrame } from '../identity-exchange.ts';
import type { Connection } from '../transport.ts';
import type { NativeConnection, NativeStream } from './binding.ts';
import { addressOf } from './peer-key.ts';
import { QuicStream } from './quic-stream.ts';

/** Longest message on the connection stream, bytes: a certificate and what comes with it. */
const MAX_CONNECTION_FRAME_BYTES = 16 * 1024;
/** Kind of the connection stream, which is no stream of users and not counted with them. */
const CONNECTION_STREAM = 'connection';
/** What a peer's bytes on the connection stream can be guilty of. */
const VIOLATIONS: ReadonlySet<string> = new Set([
  'ERR_TUNNEL_BAD_FRAME',
  'ERR_TUNNEL_UNKNOWN_FRAME',
  'ERR_TUNNEL_LIMIT',
]);
/** Longest head of a stream, bytes. */
const MAX_HEAD_BYTES = 128;

/**
 * A {@link Connection} over QUIC. The first stream that the dialer opens is the connection stream: certificates,
 * pings and the reason of a close travel on it (connection.proto). The peer has to be verified before
 * {@link start}.
 */
export class QuicConnection implements Connection {
  readonly transport = 'quic';
  readonly remoteAddress: string;
  readonly stats = new ConnectionStats(systemClock.monotonicMs());
  readonly closed: Promise<CloseReason>;
  readonly #native: NativeConnection;
  readonly #limits: TunnelLimits;
  readonly #dialer: boolean;
  readonly #streams = new Set<QuicStream>();
  readonly #accepted = new AcceptQueue();
  readonly #closed = deferred<CloseReason>();
  /** Resolves when the native connection is down, which may be later than {@link closed}. Never rejects. */
  readonly down: Promise<void>;
  #messages: MessageStream | undefined;
  #peer: PeerIdentity | undefined;
  #ping: { readonly sentMs: number; readonly answer: Deferred<number> } | undefined;
  #ended: CloseReason | undefined;

  constructor(native: NativeConnection, options: { dialer: boolean; limits: TunnelLimits }) {
    this.#native = native;
    this.#dialer = options.dialer;
    this.#limits = options.limits;
    const { ip, port } = addressOf(native.remoteMultiaddr());
    this.remoteAddress = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
    this.closed = this.#closed.promise;
    this.down = native.closed().then(() => {
      this.#finish({
        code: 'connection-lost',
        message: 'the QUIC connection was lost or closed',
        by: 'remote',
      });
    });
  }

  /** Who the peer is; known from {@link start} on. */
  get peer(): PeerIdentity {
    if (this.#peer === undefined) throw new TypeError('the peer of this connection is not verified yet');
    return this.#peer;
  }

  /** The connection stream: opened by the dialer, accepted by the listener. Called once, before {@link start}. */
  async connectionStream(): Promise<MessageStream> {
    const opening = this.#dialer ? this.#native.outboundStream() : this.#native.inboundStream();
    const native = await opening.catch(() => {
      throw this.#connectionError(); // only the connection's end rejects
    });
    this.#messages = new MessageStream(
      this.#wrap(native, CONNECTION_STREAM, this.#dialer),
      MAX_CONNECTION_FRAME_BYTES,
    );
    return this.#messages;
  }

  /** Begins to serve streams and pings, the peer being verified. */
  start(peer: PeerIdentity): void {
    this.#peer = peer;
    void this.#serveConnectionStream();
    void this.#acceptStreams();
  }

  async openStream(kind: string, options: { signal?: AbortSignal } = {}): Promise<Stream> {
    const { signal } = options;
    checkStreamKind(kind);
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw closeError(this.#ended);
    const opening = this.#native.outboundStream();
    const native = await abortable(opening, signal).catch((error: unknown) => {
      // The native side opens it all the same: given back at once.
      opening.then((late) => discard(late)).catch(() => {});
      if (signal?.aborted === true) throw error;
      throw this.#connectionError();
    });
    const stream = this.#wrap(native, kind, true);
    this.stats.streamsOpened += 1;
    await stream.write(frameMessage(encodeStreamOpen(kind)), options);
    return stream;
  }

  acceptStream(): Promise<Stream | undefined> {
    return this.#accepted.take();
  }

  ping(): Promise<number> {
    if (this.#ended !== undefined) return Promise.reject(closeError(this.#ended));
    if (this.#ping === undefined) {
      this.#ping = { sentMs: systemClock.monotonicMs(), answer: deferred() };
      this.#messages?.send(encodeConnectionFrame({ ping: 1 })).catch(() => {}); // the connection's end tells
    }
    return this.#ping.answer.promise;
  }

  async close(reason: CloseReason): Promise<void> {
    if (this.#ended === undefined) {
      const messages = this.#messages;
      // QUIC drops unsent bytes when it closes: the peer closes, once it has read the reason, or patience ends.
      const notice = messages?.send(encodeConnectionFrame({ close: toCloseNotice(reason) }));
      this.#finish(reason);
      const patience = systemClock.setTimer(this.#limits.closeTimeoutMs, () => this.#native.abort());
      notice?.then(() => messages?.stream.end()).catch(() => {}); // then the connection is down already
      await this.down;
      patience.cancel();
    }
    await this.down;
  }

  destroy(reason: CloseReason): void {
    this.#finish(reason);
    this.#native.abort();
  }

  async #serveConnectionStream(): Promise<void> {
    const messages = this.#messages;
    if (messages === undefined) return;
    try {
      while (this.#ended === undefined) await this.#onConnectionFrame(messages);
    } catch (error) {
      if (error instanceof TunnelError && VIOLATIONS.has(error.code)) this.#violated(error);
      else this.destroy({ code: 'connection-lost', message: messageOf(error), by: 'remote' });
    }
  }

  async #onConnectionFrame(messages: MessageStream): Promise<void> {
    const frame = await nextFrame(messages);
    switch (frame.body) {
      case 'ping':
        await messages.send(encodeConnectionFrame({ pong: frame.ping }));
        return;
      case 'pong': {
        const ping = this.#ping;
        this.#ping = undefined;
        ping?.answer.resolve(systemClock.monotonicMs() - ping.sentMs);
        return;
      }
      case 'close':
        this.destroy(fromCloseNotice(frame.close));
        return;
      default:
        throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `${frame.body} after the introduction`);
    }
  }

  async #acceptStreams(): Promise<void> {
    try {
      while (this.#ended === undefined) {
        const native = await this.#native.inboundStream();
        void this.#acceptStream(native);
      }
    } catch {
      // Only the end of the connection rejects, and `closed` tells about that.
    }
  }

  async #acceptStream(native: NativeStream): Promise<void> {
    const stream = this.#wrap(native, 'unknown', false);
    try {
      const head = new MessageStream(stream, MAX_HEAD_BYTES);
      const message = await head.receive();
      if (message === undefined) throw new TunnelError('ERR_TUNNEL_BAD_FRAME', 'a stream without a head');
      const kind = decodeStreamOpen(message);
      checkStreamKind(kind);
      stream.begin(kind, head.takeUnread());
      this.stats.streamsAccepted += 1;
      this.#accepted.push(stream);
    } catch (error) {
      const tunnelError =
        error instanceof TunnelError ? error : new TunnelError('ERR_TUNNEL_BAD_FRAME', messageOf(error));
      // A stream that was reset before its head arrived is nobody's fault.
      if (tunnelError.code === 'ERR_TUNNEL_BAD_FRAME' || tunnelError.code === 'ERR_TUNNEL_LIMIT')
        this.#violated(tunnelError);
    }
  }

  #wrap(native: NativeStream, kind: string, openedHere: boolean): QuicStream {
    const stream = new QuicStream({
      native,
      id: Number(native.id()) * 2 + (openedHere === this.#dialer ? 1 : 2),
      kind,
      stats: this.stats,
      connectionError: () => this.#connectionError(),
      onDone: (done) => {
        if (this.#streams.delete(done) && kind !== CONNECTION_STREAM) this.stats.openStreams -= 1;
      },
    });
    this.#streams.add(stream);
    if (kind !== CONNECTION_STREAM) this.stats.openStreams += 1;
    return stream;
  }

  /** The peer broke the protocol: it is told so, and the connection ends. */
  #violated(error: TunnelError): void {
    void this.close(reasonFor(error));
  }

  #connectionError(): Error {
    return closeError(
      this.#ended ?? { code: 'connection-lost', message: 'the QUIC connection was lost', by: 'remote' },
    );
  }

  #finish(reason: CloseReason): void {
    if (this.#ended !== undefined) return;
    this.#ended = { by: 'local', ...reason };
    const error = closeError(this.#ended);
    for (const stream of [...this.#streams]) {
      // The connection stream still carries the reason; it ends with the native connection.
      if (stream !== this.#messages?.stream) stream.fail(error, { tellPeer: false });
    }
    this.#accepted.end();
    if (this.#ping !== undefined) {
      this.#ping.answer.promise.catch(() => {}); // whoever pinged may have stopped listening
      this.#ping.answer.reject(error);
    }
    this.#closed.resolve(this.#ended);
  }
}

function discard(native: NativeStream): void {
  native.resetWrite();
  native.stopRead();
}

/** The promise's outcome, or the signal's reason, whichever comes first. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
