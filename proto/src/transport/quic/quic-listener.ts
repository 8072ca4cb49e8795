import { deferred, systemClock } from '@hawser/seams';
import { messageOf, TunnelError } from '../../errors.ts';
import type { Credentials } from '../../identity/credentials.ts';
import { introduceAsListener } from '../identity-exchange.ts';
import type { Admission } from '../handshake-gate.ts';
import type { Listener, ListenOptions, TransportOptions } from '../transport.ts';
import { loadQuicBinding, type NativeConnection, type NativeServer } from './binding.ts';
import { endpointConfig } from './endpoint-config.ts';
import { addressOf, provenKey } from './peer-key.ts';
import { QuicConnection } from './quic-connection.ts';

/**
 * Calls that wait in the native side for each handshake that the gate permits. A stranger who sends a first packet
 * and nothing else holds one until the native idle timeout, so there have to be more than honest edges need; a call
 * that waits costs 2 KiB. (The native side cannot ask for proof of an address before it begins.)
 */
const CALLS_PER_HANDSHAKE = 8;

/** A hub's QUIC port: native handshake → gate → the edge's identity. */
export class QuicListener implements Listener {
  readonly transport = 'quic';
  readonly host: string;
  readonly port: number;
  readonly #options: TransportOptions;
  readonly #listen: ListenOptions;
  readonly #native: NativeServer;
  /** The newest that fit the key with which the port was opened. */
  #credentials: Credentials;
  readonly #connections = new Set<QuicConnection>();
  readonly #empty = deferred();
  #closing: Promise<void> | undefined;

  /** Binds the port. @throws TunnelError `ERR_TUNNEL_DIAL`, `ERR_TUNNEL_TRANSPORT_UNAVAILABLE`, `ERR_TUNNEL_CERT_KEY` */
  constructor(options: TransportOptions, listen: ListenOptions) {
    const { Server } = loadQuicBinding();
    this.#credentials = options.credentials();
    const config = endpointConfig(this.#credentials.privateKey, options.limits);
    try {
      this.#native = new Server(config, listen.host, listen.port);
    } catch (error) {
      const message = `cannot listen on udp ${listen.host}:${listen.port}: ${messageOf(error)}`;
      throw new TunnelError('ERR_TUNNEL_DIAL', message, { cause: error });
    }
    this.#options = options;
    this.#listen = listen;
    this.host = listen.host;
    this.port = this.#native.port();
  }

  /** Begins to accept. As many handshakes run at a time as calls wait in the native side; further ones queue there. */
  start(): void {
    const calls = this.#options.limits.maxHandshakes * CALLS_PER_HANDSHAKE;
    for (let i = 0; i < calls; i++) void this.#acceptLoop();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // The native side cannot stop accepting and keep connections: new ones are turned away until the last has gone.
    if (this.#connections.size > 0) await this.#empty.promise;
    // It also waits for strangers that have begun a handshake and say nothing, up to the native idle timeout.
    const patience = deferred();
    const timer = systemClock.setTimer(this.#options.limits.closeTimeoutMs, () => patience.resolve());
    await Promise.race([this.#native.abort(), patience.promise]);
    timer.cancel();
  }

  async #acceptLoop(): Promise<void> {
    while (this.#closing === undefined || this.#connections.size > 0) {
      let native: NativeConnection;
      try {
        native = await this.#native.inboundConnection();
      } catch (error) {
        if (messageOf(error).includes('server closed')) return;
        this.#listen.onHandshakeError?.(error as Error, 'unknown');
        continue;
      }
      if (this.#closing === undefined) await this.#admit(native);
      else native.abort();
    }
  }

  async #admit(native: NativeConnection): Promise<void> {
    const admission = this.#listen.gate.tryEnter(addressOf(native.remoteMultiaddr()).ip);
    if (typeof admission === 'string') {
      native.abort();
      return;
    }
    const connection = new QuicConnection(native, { dialer: false, limits: this.#options.limits });
    this.#connections.add(connection);
    void connection.down.then(() => {
      admission.release();
      this.#connections.delete(connection);
      if (this.#connections.size === 0 && this.#closing !== undefined) this.#empty.resolve();
    });
    await this.#introduce(connection, native, admission);
  }

  #currentCredentials(): Credentials {
    const newest = this.#options.credentials();
    if (newest.privateKey.equals(this.#credentials.privateKey)) this.#credentials = newest;
    return this.#credentials;
  }

  async #introduce(
    connection: QuicConnection,
    native: NativeConnection,
    admission: Admission,
  ): Promise<void> {
    const patience = systemClock.setTimer(this.#options.limits.handshakeTimeoutMs, () => {
      connection.destroy({ code: 'handshake-timeout', message: 'the peer did not introduce itself in time' });
    });
    try {
      const credentials = this.#currentCredentials();
      const peer = await introduceAsListener(await connection.connectionStream(), credentials, {
        ...this.#options.verify,
        role: 'edge',
        authorities: credentials.authorities,
        provenKey: provenKey(native.remoteMultiaddr()),
      });
      patience.cancel();
      connection.start(peer);
      await this.#listen.onConnection(connection);
    } catch (error) {
      this.#listen.onHandshakeError?.(error as Error, connection.remoteAddress);
      // The peer closes once it has read why it was refused.
      systemClock.setTimer(
        this.#options.limits.closeTimeoutMs,
        () => connection.destroy(unauthorized(error)),
        {
          background: true,
        },
      );
    } finally {
      patience.cancel();
      admission.established();
    }
  }
}

function unauthorized(error: unknown): { code: 'unauthorized'; message: string } {
  return { code: 'unauthorized', message: messageOf(error) };
}
