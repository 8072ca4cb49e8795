import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { systemClock } from '@hawser/seams';
import { messageOf, TunnelError } from '../errors.ts';
import type { Admission } from './handshake-gate.ts';
import type { Connection, ListenOptions } from './transport.ts';

interface Handshake {
  readonly socket: Socket;
  readonly admission: Admission;
}

/** What a {@link GatedPort} is made with. */
export interface GatedPortOptions {
  readonly listen: ListenOptions;
  /** For all of a handshake, from the moment that TCP connected, milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Called with each socket whose turn it is. */
  readonly begin: (socket: Socket) => void;
}

/** A TCP port of a listener: connections pass the gate before anything is done for them. */
export class GatedPort {
  readonly #options: GatedPortOptions;
  readonly #tcp: Server;
  /** Handshakes going on, by the peer's address and port. */
  readonly #handshakes = new Map<string, Handshake>();
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(options: GatedPortOptions) {
    this.#options = options;
    this.#tcp = createServer({ noDelay: true }, (socket) => this.#onTcp(socket));
  }

  /** The port that was bound. */
  get port(): number {
    return this.#port;
  }

  /** Binds the port. @throws TunnelError `ERR_TUNNEL_DIAL` */
  async start(): Promise<void> {
    const { host, port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', (error) => {
        const message = `cannot listen on ${host}:${port}: ${messageOf(error)}`;
        reject(new TunnelError('ERR_TUNNEL_DIAL', message, { cause: error }));
      });
      this.#tcp.listen({ host, port, backlog: 2048 }, resolve);
    });
    this.#port = (this.#tcp.address() as AddressInfo).port; // a TCP server that listens has one
  }

  /** Stops accepting, and ends handshakes. Resolves when the port is free. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      // Connections that are up belong to their users; the port is free once they are gone too.
      this.#tcp.close(() => resolve());
      for (const { socket } of this.#handshakes.values()) socket.destroy();
    });
    return this.#closing;
  }

  /** Gives a connection whose peer is verified to its user; its handshake is over when that has taken it. */
  handOver(connection: Connection): void {
    const { remoteAddress } = connection;
    const { onConnection, onHandshakeError } = this.#options.listen;
    const handshake = this.#handshakes.get(remoteAddress);
    this.#handshakes.delete(remoteAddress);
    onConnection(connection)
      .catch((error: unknown) => {
        connection.destroy({ code: 'internal', message: messageOf(error) });
        onHandshakeError?.(error as Error, remoteAddress);
      })
      .finally(() => handshake?.admission.established());
  }

  #onTcp(socket: Socket): void {
    // TLS sockets report errors themselves; before TLS takes over, an error only means that the peer left.
    socket.on('error', () => {});
    const { begin, handshakeTimeoutMs, listen } = this.#options;
    const admission = listen.gate.enter(socket.remoteAddress ?? 'unknown', {
      begin: () => {
        if (!socket.destroyed) begin(socket);
      },
      giveUp: () => socket.resetAndDestroy(),
    });
    if (typeof admission === 'string') {
      socket.resetAndDestroy();
      return;
    }
    const peer = addressOf(socket);
    this.#handshakes.set(peer, { socket, admission });
    const patience = systemClock.setTimer(handshakeTimeoutMs, () => {
      if (this.#handshakes.has(peer)) socket.destroy();
    });
    socket.once('close', () => {
      patience.cancel();
      this.#handshakes.delete(peer);
      admission.release();
    });
  }
}

/** `ip:port` of a socket's peer, for logs. */
export function addressOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
}
