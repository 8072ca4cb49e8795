import { randomUUID } from 'node:crypto';
import {
  randomBelow,
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
} from '@hawser/seams';
import { PURPOSE, type Hello } from '../codec/codec.ts';
import { messageOf, TunnelError } from '../errors.ts';
import { tunnelLimits, type TunnelLimits } from '../limits.ts';
import { TunnelMetrics } from '../metrics.ts';
import { HandshakeGate } from '../transport/handshake-gate.ts';
import { reasonFor, type CloseReason } from '../transport/close-reason.ts';
import type { Connection, Listener, RequestHandler, Transport } from '../transport/transport.ts';
import { answerHello, type Decision, type Established, type HubWelcome } from './handshake.ts';
import { MemoryEpochs, SessionRegistry, type EpochSource } from './session-registry.ts';
import { Tunnel, type FrameHandler } from './tunnel.ts';

/** What a {@link TunnelServer} is made of. */
export interface TunnelServerOptions {
  readonly welcome: HubWelcome;
  /**
   * Called with each new session before it serves; the answer takes its frames.
   */
  readonly onTunnel: (tunnel: Tunnel, hello: Hello) => FrameHandler;
  /** Policy beyond the certificate: undefined accepts. */
  readonly authorize?: (hello: Hello, connection: Connection) => Promise<CloseReason | undefined>;
  readonly epochs?: EpochSource;
  readonly limits?: TunnelLimits;
  readonly metrics?: TunnelMetrics;
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** The spread of reconnects after a hub was stopped in good order, milliseconds. */
const STOP_SPREAD_MS = 5_000;

/** The hub's end: listens, admits, shakes hands, and keeps one session per node. */
export class TunnelServer {
  readonly sessions = new SessionRegistry();
  readonly gate: HandshakeGate;
  readonly #options: TunnelServerOptions;
  readonly #limits: TunnelLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #metrics: TunnelMetrics;
  readonly #epochs: EpochSource;
  readonly #listeners: Listener[] = [];
  #stopping: Promise<void> | undefined;

  constructor(options: TunnelServerOptions) {
    this.#options = options;
    this.#limits = options.limits ?? tunnelLimits();
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#log = options.log ?? silentLogger;
    this.#metrics = options.metrics ?? new TunnelMetrics();
    this.#epochs = options.epochs ?? new MemoryEpochs();
    this.gate = new HandshakeGate(this.#limits, this.#clock);
    this.#metrics.observeGate(this.gate);
  }

  /**
   * Opens a port. May be called once per transport.
   * @param address where, and who answers plain HTTPS requests there (see `ListenOptions.onRequest`)
   * @throws TunnelError as {@link Transport.listen}
   */
  async listen(
    transport: Transport,
    address: { host: string; port: number; onRequest?: RequestHandler },
  ): Promise<Listener> {
    const listener = await transport.listen({
      ...address,
      gate: this.gate,
      onConnection: (connection) => this.#onConnection(connection),
      onHandshakeError: (error, remoteAddress) => {
        const code = error instanceof TunnelError ? error.code : 'ERR_TUNNEL_DIAL';
        this.#metrics.handshakeFailed(transport.name, code);
        this.#log.warn(
          { remoteAddress, code, transport: transport.name },
          `handshake failed: ${error.message}`,
        );
      },
    });
    this.#listeners.push(listener);
    this.#log.info({ transport: transport.name, host: listener.host, port: listener.port }, 'listening');
    return listener;
  }

  /**
   * Ends all sessions in good order, each edge being asked to come back at a moment of its own, and frees the
   * ports. Idempotent.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.gate.close();
    const closing = this.#listeners.map((listener) => listener.close());
    const ended = this.sessions.all().map((tunnel) => {
      return tunnel.close(this.#goingAway());
    });
    const outcomes = await Promise.allSettled([...ended, ...closing]);
    const failures = outcomes
      .filter((outcome) => outcome.status === 'rejected')
      .map((outcome) => outcome.reason as Error);
    if (failures.length > 0) throw new AggregateError(failures, 'the tunnel server did not stop cleanly');
  }

  /** Each edge comes back at a moment of its own. */
  #goingAway(): CloseReason {
    const retryAfterMs = 1 + randomBelow(this.#random, STOP_SPREAD_MS);
    return { code: 'going-away', message: 'the hub is stopping', retryAfterMs };
  }

  async #onConnection(connection: Connection): Promise<void> {
    const { transport, remoteAddress } = connection;
    const patience = this.#clock.setTimer(this.#limits.handshakeTimeoutMs, () => {
      connection.destroy({ code: 'handshake-timeout', message: 'no hello in time' });
    });
    try {
      const answered = await answerHello(connection, this.#options.welcome, {
        limits: this.#limits,
        clock: this.#clock,
        decide: (hello) => this.#decide(hello, connection),
      });
      if (answered === undefined) this.#metrics.handshakeFailed(transport, 'ERR_TUNNEL_REJECTED');
      else this.#begin(connection, answered, answered.hello);
    } catch (error) {
      const code = error instanceof TunnelError ? error.code : 'ERR_TUNNEL_CONNECTION_LOST';
      this.#metrics.handshakeFailed(transport, code);
      this.#log.warn(
        { remoteAddress, code, peer: connection.peer.commonName },
        `handshake failed: ${messageOf(error)}`,
      );
      await connection.close(reasonFor(error));
    } finally {
      patience.cancel();
    }
  }

  async #decide(hello: Hello, connection: Connection): Promise<Decision> {
    if (this.#stopping !== undefined) {
      return { reject: this.#goingAway() };
    }
    if (hello.purpose === PURPOSE.bulk) return this.#decideBulk(hello);
    const refusal = await this.#options.authorize?.(hello, connection);
    if (refusal !== undefined) return { reject: refusal };
    return {
      accept: { sessionId: randomUUID(), epoch: await this.#epochs.next(hello.node, hello.lastEpoch) },
    };
  }

  #decideBulk(hello: Hello): Decision {
    const tunnel = this.sessions.get(hello.node);
    if (tunnel?.info.id === hello.sessionId) {
      return { accept: { sessionId: tunnel.info.id, epoch: tunnel.info.epoch } };
    }
    return { reject: { code: 'replaced', message: 'no such session: the bulk connection came too late' } };
  }

  #begin(connection: Connection, established: Established, hello: Hello): void {
    const { info } = established;
    const fields = { node: info.node, session: info.id, epoch: info.epoch, transport: connection.transport };
    if (hello.purpose === PURPOSE.bulk) {
      const session = this.sessions.get(info.node);
      if (session?.info.id !== info.id) {
        // Replaced or ended since the hello: nobody would look after this connection.
        void connection.close({ code: 'replaced', message: 'the session of this bulk connection has ended' });
        return;
      }
      session.attachBulk(connection, established);
      this.#metrics.connectionOpened(connection, 'bulk');
      this.#log.debug(fields, 'bulk connection open');
      return;
    }
    const tunnel = new Tunnel({
      side: 'hub',
      control: connection,
      session: established,
      limits: this.#limits,
      clock: this.#clock,
    });
    if (!this.sessions.add(tunnel)) {
      void tunnel.close({ code: 'replaced', message: 'a newer session of this node is there already' });
      return;
    }
    tunnel.start(this.#options.onTunnel(tunnel, hello));
    this.#metrics.connectionOpened(connection, 'control');
    this.#log.info(
      { ...fields, remoteAddress: connection.remoteAddress, software: info.peerSoftware },
      'session open',
    );
    void tunnel.closed.then((reason) => {
      this.#log.info({ ...fields, reason: reason.code, by: reason.by }, `session ended: ${reason.message}`);
    });
  }
}
