import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Credentials } from '@hawser/proto';
import type { Logger } from '@hawser/seams';

/** Settings of {@link TlsPort}. */
export interface TlsPortOptions {
  /** Of the server; another object when they were renewed. */
  readonly credentials: () => Credentials;
  /** Authorities of clients, PEM; empty: no certificate counts. */
  readonly clientAuthorities: () => readonly string[];
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** For the head of a request, milliseconds; looked at every 2 s. */
  readonly headerMs: number;
  /** Connections at a time; further ones are closed. */
  readonly maxConnections: number;
  readonly log: Logger;
}

/** For a handshake, milliseconds. */
const HANDSHAKE_MS = 10_000;
const CHECK_MS = 2_000;
/** Idle connections are kept longer than API servers keep theirs (90 s), so that it is they who close. */
const KEEP_ALIVE_MS = 120_000;
const MAX_HEADER_BYTES = 48 * 1024;
/** Handshakes at a time, over all ports: nobody has shown a certificate yet. */
const MAX_HANDSHAKES = 256;

/**
 * One TLS server for the sockets of any number of ports: settings, certificates and memory are there once.
 * Certificates of clients are asked for and verified, and what follows from it is the caller's to say, so that it can
 * be said in words.
 */
export class TlsPort {
  readonly #options: TlsPortOptions;
  readonly #sockets = new Set<Socket>();
  /** Those whose handshake is not over, by where they come from and go to. */
  readonly #handshakes = new Map<string, Socket>();
  /** Connections that were verified by the present authorities. */
  #verified = new WeakSet<TLSSocket>();
  #server: Server | undefined;
  #credentials: Credentials | undefined;
  #established = 0;

  constructor(options: TlsPortOptions) {
    this.#options = options;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Whether the connection's certificate was looked at with the present authorities. */
  isVerified(socket: TLSSocket): boolean {
    return this.#verified.has(socket);
  }

  /** Makes the server. Idempotent. */
  start(): void {
    if (this.#server !== undefined) return;
    const { onRequest, onUpgrade, headerMs, log } = this.#options;
    const server = createServer({
      ...this.#context(),
      requestCert: true,
      rejectUnauthorized: false, // refused with a text, by the caller
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HANDSHAKE_MS,
      headersTimeout: headerMs,
      requestTimeout: headerMs, // there are no bodies
      connectionsCheckingInterval: CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    server.on('request', onRequest);
    server.on('upgrade', onUpgrade);
    server.on('secureConnection', (socket) => {
      this.#handshakes.delete(endsOf(socket));
      this.#verified.add(socket);
      this.#established += 1;
      socket.once('close', () => (this.#established -= 1));
    });
    server.on('tlsClientError', (err) => log.debug({ err }, 'handshake of a client failed'));
    server.on('clientError', (_error, socket) => void socket.destroy());
    // It never listens by itself; this is what makes it keep an eye on the time-outs of its connections.
    server.emit('listening');
    this.#server = server;
  }

  /** Takes a connection of a port. */
  take(socket: Socket): void {
    const server = this.#server;
    const { size } = this.#sockets;
    const isFull = size >= this.#options.maxConnections || size - this.#established >= MAX_HANDSHAKES;
    if (server === undefined || isFull) {
      socket.destroy();
      return;
    }
    if (this.#credentials !== this.#options.credentials()) server.setSecureContext(this.#context());
    const ends = endsOf(socket);
    this.#sockets.add(socket);
    this.#handshakes.set(ends, socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#handshakes.get(ends) === socket) this.#handshakes.delete(ends);
    });
    socket.on('error', () => {}); // the TLS layer tells it
    server.emit('connection', socket);
  }

  /** There are other authorities of clients: connections from before are not verified any more. */
  authoritiesChanged(): void {
    this.#verified = new WeakSet();
    // What has begun would be verified by the authorities from before.
    for (const socket of this.#handshakes.values()) socket.destroy();
    this.#server?.setSecureContext(this.#context());
    this.#server?.closeIdleConnections();
  }

  /** Ends every connection. Idempotent. */
  stop(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  #context(): SecureContextOptions {
    const credentials = this.#options.credentials();
    this.#credentials = credentials;
    return {
      key: credentials.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      cert: credentials.certificate.toString(),
      // An empty list trusts nobody; leaving it out would trust every authority of the web.
      ca: [...this.#options.clientAuthorities()],
      minVersion: 'TLSv1.2',
      // What is checked at a handshake holds for every connection: none is resumed.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
  }
}

/** The same for a connection and for what the TLS layer makes of it. */
function endsOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0} ${localPort ?? 0}`;
}
