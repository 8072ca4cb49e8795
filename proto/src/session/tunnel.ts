import { deferred, type Clock, type Deferred, type Timer } from '@hawser/seams';
import type { OutgoingFrame } from '../codec/codec.ts';
import { messageOf, TunnelError } from '../errors.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import type { TunnelLimits } from '../limits.ts';
import type { Stream } from '../stream/stream.ts';
import { AcceptQueue } from '../transport/accept-queue.ts';
import { closeError, reasonFor, type CloseReason } from '../transport/close-reason.ts';
import type { Connection } from '../transport/transport.ts';
import type { FrameStream, KnownFrame } from './frame-stream.ts';
import type { Established } from './handshake.ts';
import { Heartbeat } from './heartbeat.ts';
import type { SessionInfo } from './session-info.ts';

/** Which connection a stream travels on: control is small and on time, bulk may saturate the link. */
export type StreamPriority = 'control' | 'bulk';

/** Frames that the tunnel leaves to its user. */
export type SessionFrame = Exclude<
  KnownFrame,
  { readonly body: 'hello' | 'welcome' | 'reject' | 'bulkRequest' | 'bulkRelease' }
>;

/** Takes the frames of a session in order; the next one waits until the promise settles. A rejection ends the tunnel. */
export type FrameHandler = (frame: SessionFrame) => Promise<void> | void;

/** What a {@link Tunnel} is made of. */
export interface TunnelOptions {
  readonly side: 'edge' | 'hub';
  readonly control: Connection;
  readonly session: Established;
  readonly limits: TunnelLimits;
  readonly clock: Clock;
  /** At the edge: opens a bulk connection of this session. The hub asks for one by a frame instead. */
  readonly dialBulk?: (tunnel: Tunnel) => Promise<{ connection: Connection; session: Established }>;
}

interface BulkLink {
  readonly connection: Connection;
  readonly frames: FrameStream;
  /** Neither side opens streams on it any more. */
  released: boolean;
}

/** How often the hub looks whether a released bulk connection has become empty. */
const RELEASED_CHECK_MS = 1000;
/** The session stream itself is open on every connection. */
const SESSION_STREAMS = 1;

/**
 * One session between an edge and a hub: its frames, and streams of either priority. Control and bulk are
 * connections of their own; the bulk one is opened when first needed and closed when idle.
 */
export class Tunnel {
  readonly info: SessionInfo;
  readonly peer: PeerIdentity;
  readonly transport: string;
  readonly remoteAddress: string;
  /** Resolves with why the session ended. Never rejects. */
  readonly closed: Promise<CloseReason>;
  readonly #options: TunnelOptions;
  readonly #control: Connection;
  readonly #frames: FrameStream;
  readonly #accepted = new AcceptQueue();
  readonly #bulkLinks = new Set<BulkLink>();
  #bulk: BulkLink | undefined;
  #bulkWanted: Deferred<BulkLink> | undefined;
  #roundTripMs: number | undefined;
  /** Once this side ends the session nothing more of it counts, not even what has been read already. */
  #fenced = false;
  #ended: CloseReason | undefined;

  constructor(options: TunnelOptions) {
    this.#options = options;
    this.#control = options.control;
    this.#frames = options.session.frames;
    this.info = options.session.info;
    this.peer = options.control.peer;
    this.transport = options.control.transport;
    this.remoteAddress = options.control.remoteAddress;
    this.closed = options.control.closed;
  }

  /** Begins to serve: frames go to `onFrame`, heartbeats run. Called once. */
  start(onFrame: FrameHandler): void {
    void this.closed.then((reason) => this.#onControlClosed(reason));
    this.#watch(this.#control);
    void this.#acceptFrom(this.#control);
    void this.#serveFrames(onFrame);
  }

  /** Smoothed round-trip time of the control connection, milliseconds; undefined until the first heartbeat. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Monotonic time of the last bytes of the peer on the control connection, milliseconds. */
  get heardMs(): number {
    return this.#control.stats.lastReceivedMs;
  }

  /** Asks the peer for a sign of life, on the control connection; see {@link Connection.ping}. */
  ping(): Promise<number> {
    return this.#control.ping();
  }

  /** The connections that the session has now, control first. */
  get connections(): readonly Connection[] {
    return [this.#control, ...[...this.#bulkLinks].map((link) => link.connection)];
  }

  /** Sends a frame; resolves when the next one makes sense. Errors: `ERR_TUNNEL_LIMIT`, and those of streams. */
  send(frame: OutgoingFrame): Promise<void> {
    return this.#frames.send(frame);
  }

  /** Sends bytes of {@link frameBytes}, made once for many sessions. Errors as {@link send}. */
  sendBytes(bytes: Buffer): Promise<void> {
    return this.#frames.sendBytes(bytes);
  }

  /**
   * Opens a stream to the peer.
   * @param options.priority default `control`; `bulk` opens the bulk connection if there is none
   * @throws TunnelError `ERR_TUNNEL_BULK_UNAVAILABLE`, and those of {@link Connection.openStream}; `signal.reason`
   */
  async openStream(
    kind: string,
    options: { priority?: StreamPriority; signal?: AbortSignal } = {},
  ): Promise<Stream> {
    const { priority = 'control', ...rest } = options;
    if (priority === 'control') return this.#control.openStream(kind, rest);
    const link = await this.#bulkLink(options.signal);
    return link.connection.openStream(kind, rest);
  }

  /** The next stream that the peer opens, on either connection; undefined once the session has ended. */
  acceptStream(): Promise<Stream | undefined> {
    return this.#accepted.take();
  }

  /** Ends the session in good order; see {@link Connection.close}. Idempotent. */
  async close(reason: CloseReason): Promise<void> {
    this.#fenced = true;
    await Promise.all(this.connections.map((connection) => connection.close(reason)));
  }

  /** Ends the session at once; see {@link Connection.destroy}. Idempotent. */
  destroy(reason: CloseReason): void {
    this.#fenced = true;
    for (const connection of this.connections) connection.destroy(reason);
  }

  /**
   * Adds a bulk connection of this session that has shaken hands. It takes the place of one that is in use: whoever
   * opens a second one has lost the first, which may take this side three heartbeats to notice.
   * @throws TunnelError the error of the session's end, if it has ended
   */
  attachBulk(connection: Connection, session: Established): void {
    if (this.#ended !== undefined) throw closeError(this.#ended);
    const replaced = this.#bulk?.connection;
    const link: BulkLink = { connection, frames: session.frames, released: false };
    this.#bulk = link;
    this.#bulkLinks.add(link);
    void replaced?.close({ code: 'replaced', message: 'a newer bulk connection of this session' });
    void connection.closed.then(() => {
      this.#bulkLinks.delete(link);
      if (this.#bulk === link) this.#bulk = undefined;
    });
    this.#watch(connection);
    void this.#acceptFrom(connection);
    void this.#serveBulkFrames(link);
    if (this.#options.side === 'edge') this.#releaseWhenIdle(link);
    this.#bulkWanted?.resolve(link);
    this.#bulkWanted = undefined;
  }

  // ── bulk connection ────────────────────────────────────────────────────────────────────────────────────────

  async #bulkLink(signal: AbortSignal | undefined): Promise<BulkLink> {
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw closeError(this.#ended);
    if (this.#bulk !== undefined) return this.#bulk;
    const wanted = this.#wantBulk();
    const { promise, resolve, reject } = deferred<BulkLink>();
    const onAbort = (): void => reject(signal?.reason);
    const patience = this.#options.clock.setTimer(this.#options.limits.bulkOpenTimeoutMs, () => {
      const message = `no bulk connection within ${this.#options.limits.bulkOpenTimeoutMs} ms`;
      reject(new TunnelError('ERR_TUNNEL_BULK_UNAVAILABLE', message));
    });
    wanted.then(resolve, reject);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      patience.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** One attempt at a time, shared by all who wait. */
  #wantBulk(): Promise<BulkLink> {
    if (this.#bulkWanted === undefined) {
      this.#bulkWanted = deferred();
      this.#bulkWanted.promise.catch(() => {}); // those who wait have their own time-outs
      void this.#requestBulk(this.#bulkWanted);
    }
    return this.#bulkWanted.promise;
  }

  async #requestBulk(wanted: Deferred<BulkLink>): Promise<void> {
    const { dialBulk, clock, limits } = this.#options;
    try {
      if (dialBulk === undefined) {
        await this.send({ bulkRequest: {} });
        // The frame asks once; if nothing comes of it, the next stream asks again.
        clock.setTimer(limits.bulkOpenTimeoutMs, () => this.#giveUpBulk(wanted, undefined), {
          background: true,
        });
      } else {
        const { connection, session } = await dialBulk(this);
        try {
          this.attachBulk(connection, session);
        } catch (error) {
          connection.destroy({ code: 'normal', message: 'its session has ended' });
          throw error;
        }
      }
    } catch (error) {
      this.#giveUpBulk(wanted, error);
    }
  }

  #giveUpBulk(wanted: Deferred<BulkLink>, cause: unknown): void {
    if (this.#bulkWanted === wanted) this.#bulkWanted = undefined;
    const message = `no bulk connection: ${cause === undefined ? 'the edge opened none' : messageOf(cause)}`;
    wanted.reject(new TunnelError('ERR_TUNNEL_BULK_UNAVAILABLE', message, { cause }));
  }

  /** At the edge: a bulk connection on which nothing happened for `bulkIdleMs` is given back. */
  #releaseWhenIdle(link: BulkLink): void {
    const { clock, limits } = this.#options;
    const { stats } = link.connection;
    const streamsSoFar = (): number => stats.streamsOpened + stats.streamsAccepted;
    let timer: Timer;
    const look = (seen: number): void => {
      timer = clock.setTimer(
        limits.bulkIdleMs,
        () => {
          if (stats.openStreams > SESSION_STREAMS || streamsSoFar() !== seen) {
            look(streamsSoFar());
            return;
          }
          if (this.#bulk === link) this.#bulk = undefined;
          link.released = true;
          link.frames.send({ bulkRelease: {} }).catch(() => {}); // it ended by itself
        },
        { background: true },
      );
    };
    look(streamsSoFar());
    void link.connection.closed.then(() => timer.cancel());
  }

  /** At the hub: closes a bulk connection that the edge released, once its last stream has ended. */
  #closeWhenEmpty(link: BulkLink): void {
    if (this.#bulk === link) this.#bulk = undefined;
    link.released = true;
    const { clock } = this.#options;
    let timer: Timer | undefined;
    const look = (): void => {
      if (link.connection.stats.openStreams <= SESSION_STREAMS) {
        void link.connection.close({ code: 'normal', message: 'the bulk connection was idle' });
      } else {
        timer = clock.setTimer(RELEASED_CHECK_MS, look, { background: true });
      }
    };
    void link.connection.closed.then(() => timer?.cancel());
    look();
  }

  // ── serving ────────────────────────────────────────────────────────────────────────────────────────────────

  #watch(connection: Connection): void {
    new Heartbeat({
      connection,
      intervalMs: this.info.heartbeatMs,
      leads: this.#options.side === 'edge',
      clock: this.#options.clock,
      onRoundTrip: (roundTripMs) => {
        if (connection !== this.#control) return;
        // Smoothed as TCP does it. Source: RFC 6298, section 2.
        this.#roundTripMs =
          this.#roundTripMs === undefined ? roundTripMs : this.#roundTripMs * 0.875 + roundTripMs * 0.125;
      },
    }).start();
  }

  async #acceptFrom(connection: Connection): Promise<void> {
    for (
      let stream = await connection.acceptStream();
      stream !== undefined;
      stream = await connection.acceptStream()
    ) {
      this.#accepted.push(stream);
    }
  }

  async #serveFrames(onFrame: FrameHandler): Promise<void> {
    await this.#serve(this.#control, this.#frames, async (frame) => {
      switch (frame.body) {
        case 'hello':
        case 'welcome':
        case 'reject':
        case 'bulkRelease':
          throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `${frame.body} on a control session that is up`);
        case 'bulkRequest':
          if (this.#bulk === undefined && this.#options.dialBulk !== undefined) void this.#wantBulk();
          return;
        default:
          await onFrame(frame);
      }
    });
  }

  async #serveBulkFrames(link: BulkLink): Promise<void> {
    await this.#serve(link.connection, link.frames, (frame) => {
      if (frame.body !== 'bulkRelease') {
        throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `${frame.body} on a bulk connection`);
      }
      if (!link.released) this.#closeWhenEmpty(link);
      return Promise.resolve();
    });
  }

  async #serve(
    connection: Connection,
    frames: FrameStream,
    onFrame: (frame: KnownFrame) => Promise<void>,
  ): Promise<void> {
    try {
      for (let frame = await frames.receive(); frame !== undefined; frame = await frames.receive()) {
        if (this.#fenced) return;
        await onFrame(frame);
      }
      await connection.close({ code: 'normal', message: 'the peer ended the session' });
    } catch (error) {
      await connection.close(reasonFor(error));
    }
  }

  #onControlClosed(reason: CloseReason): void {
    this.#ended = reason;
    this.#accepted.end();
    this.#bulkWanted?.reject(closeError(reason));
    const ended: CloseReason = { code: reason.code, message: 'the control connection of this session ended' };
    for (const { connection } of this.#bulkLinks) connection.destroy(ended);
  }
}
