import {
  Backoff,
  delay,
  silentLogger,
  systemClock,
  type Clock,
  type Logger,
  type Random,
} from '@hawser/seams';
import { messageOf, TunnelError } from '../errors.ts';
import { tunnelLimits, type TunnelLimits } from '../limits.ts';
import { TunnelMetrics } from '../metrics.ts';
import { closeError } from '../transport/close-reason.ts';
import type { Connection } from '../transport/transport.ts';
import { sayHello, type EdgeHello, type Established } from './handshake.ts';
import { RouteDialer, type Route } from './route-dialer.ts';
import { Tunnel, type FrameHandler } from './tunnel.ts';

/** What a {@link TunnelClient} is made of. */
export interface TunnelClientOptions {
  /** Ways to the hub, best first; usually one. */
  readonly routes: readonly Route[];
  /** Made anew for each session, so that it says what the node has by now. */
  readonly hello: () => EdgeHello;
  /** Called with each new session before it serves; the answer takes its frames. */
  readonly onTunnel: (tunnel: Tunnel) => FrameHandler;
  /** Called with each attempt that failed and each session that ended, and how long the client waits now. */
  readonly onDown?: (error: Error, waitMs: number) => void;
  readonly limits?: TunnelLimits;
  readonly metrics?: TunnelMetrics;
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** What the client is doing. */
export type TunnelClientState = 'stopped' | 'connecting' | 'connected' | 'waiting';

/** First and highest upper bound of the wait before a reconnect, milliseconds: a healed link is used at once. */
const BACKOFF_MS = { base: 1_000, cap: 5_000 } as const;
/** The cap after a refusal that time alone does not heal. */
const PATIENT_CAP_MS = 60_000;
/**
 * The cap after the first, second, third … overload in a row: a hub that refuses one of a thousand edges has room for
 * it a moment later; one that refuses again and again has ten thousand, and needs them spread out.
 */
const OVERLOADED_CAPS_MS = [10_000, 20_000, 40_000, PATIENT_CAP_MS] as const;
/** The longest that a hub can ask an edge to stay away. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;
/** A session that lived this long was a good one: the next loss starts with the shortest wait again. */
const STABLE_MS = 10_000;

const PATIENT_CODES: ReadonlySet<string> = new Set([
  'ERR_TUNNEL_REPLACED',
  'ERR_TUNNEL_REJECTED',
  'ERR_TUNNEL_INCOMPATIBLE',
  'ERR_TUNNEL_CERT_REVOKED',
  'ERR_TUNNEL_CERT_UNTRUSTED',
  'ERR_TUNNEL_CERT_NAME',
  'ERR_TUNNEL_CERT_EXPIRED',
  'ERR_TUNNEL_CERT_NOT_YET_VALID',
  'ERR_TUNNEL_CERT_KEY',
  'ERR_TUNNEL_CERT_USAGE',
]);

/** The edge's end: keeps one session with a hub, for ever: dial → hello → serve → wait → dial. */
export class TunnelClient {
  readonly #options: TunnelClientOptions;
  readonly #limits: TunnelLimits;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metrics: TunnelMetrics;
  readonly #dialer: RouteDialer;
  readonly #backoff: Backoff;
  #stopping: AbortController | undefined;
  #running: Promise<void> | undefined;
  #state: TunnelClientState = 'stopped';
  #tunnel: Tunnel | undefined;
  #lastEpoch = 0;
  /** Since the last session. */
  #overloads = 0;

  constructor(options: TunnelClientOptions) {
    this.#options = options;
    this.#limits = options.limits ?? tunnelLimits();
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#metrics = options.metrics ?? new TunnelMetrics();
    this.#dialer = new RouteDialer(options.routes);
    this.#backoff = new Backoff({
      baseMs: BACKOFF_MS.base,
      capMs: BACKOFF_MS.cap,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  get state(): TunnelClientState {
    return this.#state;
  }

  /** The present session, if there is one. */
  get tunnel(): Tunnel | undefined {
    return this.#tunnel;
  }

  /** Begins to connect. Idempotent. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  /** Ends the session in good order and stays down until {@link start}. Idempotent. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#stopping?.abort(new TunnelError('ERR_TUNNEL_ABORTED', 'this tunnel client is stopping'));
    await this.#tunnel?.close({ code: 'normal', message: 'the edge is stopping' });
    await running;
    this.#running = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const error = await this.#session(signal);
      if (signal.aborted) break;
      const waitMs = this.#waitAfter(error);
      this.#state = 'waiting';
      this.#metrics.reconnect(error.code);
      this.#log.warn({ code: error.code, waitMs: Math.round(waitMs) }, `no session: ${error.message}`);
      this.#options.onDown?.(error, waitMs);
      await delay(waitMs, { clock: this.#clock, signal }).catch(() => {}); // only a stop ends it early
    }
    this.#state = 'stopped';
  }

  /** One session from dial to end; answers why there is none any more. */
  async #session(signal: AbortSignal): Promise<TunnelError> {
    this.#state = 'connecting';
    let connection: Connection | undefined;
    try {
      connection = await this.#dialer.dial(signal);
      const hello = this.#options.hello();
      const lastEpoch = Math.max(this.#lastEpoch, hello.lastEpoch ?? 0);
      const session = await this.#greet(connection, { ...hello, lastEpoch }, signal);
      return await this.#serve(connection, session, signal);
    } catch (error) {
      connection?.destroy({ code: 'normal', message: 'the handshake failed' });
      return error instanceof TunnelError
        ? error
        : new TunnelError('ERR_TUNNEL_DIAL', messageOf(error), { cause: error });
    }
  }

  async #serve(connection: Connection, session: Established, signal: AbortSignal): Promise<TunnelError> {
    const startedMs = this.#clock.monotonicMs();
    const tunnel = new Tunnel({
      side: 'edge',
      control: connection,
      session,
      limits: this.#limits,
      clock: this.#clock,
      dialBulk: (of) => this.#dialBulk(of, signal),
    });
    this.#lastEpoch = Math.max(this.#lastEpoch, session.info.epoch);
    this.#tunnel = tunnel;
    this.#state = 'connected';
    this.#backoff.capMs = BACKOFF_MS.cap;
    this.#overloads = 0;
    tunnel.start(this.#options.onTunnel(tunnel));
    this.#metrics.connectionOpened(connection, 'control');
    const { id, epoch } = session.info;
    this.#log.info(
      { session: id, epoch, transport: tunnel.transport, hub: tunnel.remoteAddress },
      'session open',
    );
    if (signal.aborted) void tunnel.close({ code: 'normal', message: 'the edge is stopping' });
    const reason = await tunnel.closed;
    this.#tunnel = undefined;
    if (this.#clock.monotonicMs() - startedMs >= STABLE_MS) this.#backoff.reset();
    return closeError(reason);
  }

  async #greet(
    connection: Connection,
    hello: EdgeHello,
    signal: AbortSignal,
    bulkOf?: string,
  ): Promise<Established> {
    const patience = this.#clock.setTimer(this.#limits.handshakeTimeoutMs, () => {
      connection.destroy({ code: 'handshake-timeout', message: 'no welcome in time' });
    });
    const onAbort = (): void => connection.destroy({ code: 'normal', message: 'the edge is stopping' });
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await sayHello(connection, hello, {
        limits: this.#limits,
        ...(bulkOf === undefined ? {} : { bulkOf }),
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
      patience.cancel();
    }
  }

  async #dialBulk(
    of: Tunnel,
    signal: AbortSignal,
  ): Promise<{ connection: Connection; session: Established }> {
    const connection = await this.#dialer.dial(signal);
    try {
      const session = await this.#greet(connection, this.#options.hello(), signal, of.info.id);
      this.#metrics.connectionOpened(connection, 'bulk');
      return { connection, session };
    } catch (error) {
      connection.destroy({ code: 'normal', message: 'the handshake failed' });
      throw error;
    }
  }

  #waitAfter(error: TunnelError): number {
    if (PATIENT_CODES.has(error.code)) this.#backoff.capMs = PATIENT_CAP_MS;
    if (error.code === 'ERR_TUNNEL_OVERLOADED') {
      const capMs = OVERLOADED_CAPS_MS[this.#overloads] ?? PATIENT_CAP_MS;
      this.#overloads += 1;
      this.#backoff.capMs = Math.max(this.#backoff.capMs, capMs);
    }
    const backoffMs = this.#backoff.nextMs();
    return Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS) + backoffMs;
  }
}
