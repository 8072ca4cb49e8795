import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '@hawser/seams';
import { WebSocketServer } from 'ws';
import { boundedText } from '../../bounded-text.ts';
import { messageOf, TunnelError } from '../../errors.ts';
import type { Credentials } from '../../identity/credentials.ts';
import { verifyPeer } from '../../identity/identity-verifier.ts';
import type { PeerIdentity } from '../../identity/peer-identity.ts';
import type { Admission } from '../handshake-gate.ts';
import type { Listener, ListenOptions, TransportOptions } from '../transport.ts';
import { MuxConnection } from '../mux/mux-connection.ts';
import { WsCarrier } from './ws-carrier.ts';
import { peerCertificate, secureContextOptions, SUBPROTOCOL, TUNNEL_PATH } from './tls-options.ts';
import { ERROR_HEADER, MESSAGE_HEADER } from './ws-dial.ts';
import { WS_OPTIONS } from './ws-options.ts';

/** What of a refusal's reason goes into a header: at most 4.5 KiB once it is percent-encoded. */
const MAX_REASON_CHARACTERS = 512;

/** Plain requests that one connection may carry. */
const MAX_REQUESTS = 2;

interface Handshake {
  readonly socket: Socket;
  readonly admission: Admission;
}

/** A hub's WebSocket port, or a peer's: gate → TLS → the edge's identity → upgrade. */
export class WsListener implements Listener {
  readonly transport = 'ws';
  readonly host: string;
  readonly #options: TransportOptions;
  readonly #listen: ListenOptions;
  readonly #tcp: Server;
  readonly #https: HttpsServer;
  readonly #upgrades: WebSocketServer;
  /** Handshakes going on, by the peer's address and port. */
  readonly #handshakes = new Map<string, Handshake>();
  #credentials: Credentials;
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(options: TransportOptions, listen: ListenOptions) {
    this.#options = options;
    this.#listen = listen;
    this.host = listen.host;
    this.#credentials = options.credentials();
    this.#tcp = createTcpServer({ noDelay: true }, (socket) => this.#onTcp(socket));
    this.#https = createHttpsServer({
      ...secureContextOptions(this.#credentials),
      requestCert: true,
      rejectUnauthorized: false, // verifyPeer decides at the upgrade, and can say why
      handshakeTimeout: options.limits.handshakeTimeoutMs,
      headersTimeout: options.limits.handshakeTimeoutMs,
      requestTimeout: options.limits.handshakeTimeoutMs,
      maxHeaderSize: 8 * 1024,
    });
    // A connection keeps its place in the gate for as long as it is there. Two: to ask who this is, and to join.
    this.#https.maxRequestsPerSocket = MAX_REQUESTS;
    this.#upgrades = new WebSocketServer({
      noServer: true,
      ...WS_OPTIONS,
      clientTracking: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Binds the port. @throws TunnelError `ERR_TUNNEL_DIAL` */
  async start(): Promise<void> {
    this.#https.on('upgrade', (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
      this.#onUpgrade(request, socket, head);
    });
    this.#https.on('request', (request, response) => this.#onRequest(request, response));
    this.#https.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.#listen.onHandshakeError?.(error, socket.remoteAddress ?? 'unknown');
    });
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', (error) => {
        const message = `cannot listen on ${this.host}:${this.#listen.port}: ${messageOf(error)}`;
        reject(new TunnelError('ERR_TUNNEL_DIAL', message, { cause: error }));
      });
      this.#tcp.listen({ host: this.host, port: this.#listen.port, backlog: 2048 }, resolve);
    });
    this.#port = (this.#tcp.address() as AddressInfo).port; // a TCP server that listens has one
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      // Connections that are up belong to their users; the port is free once they are gone too.
      this.#tcp.close(() => resolve());
      for (const { socket } of this.#handshakes.values()) socket.destroy();
    });
    return this.#closing;
  }

  #onTcp(socket: Socket): void {
    // TLS sockets report errors themselves; before TLS takes over, an error only means that the peer left.
    socket.on('error', () => {});
    const admission = this.#listen.gate.enter(socket.remoteAddress ?? 'unknown', {
      begin: () => this.#beginTls(socket),
      giveUp: () => socket.resetAndDestroy(),
    });
    if (typeof admission === 'string') {
      socket.resetAndDestroy();
      return;
    }
    const peer = addressOf(socket);
    this.#handshakes.set(peer, { socket, admission });
    const patience = systemClock.setTimer(this.#options.limits.handshakeTimeoutMs, () => {
      if (this.#handshakes.has(peer)) socket.destroy();
    });
    socket.once('close', () => {
      patience.cancel();
      this.#handshakes.delete(peer);
      admission.release();
    });
  }

  #beginTls(socket: Socket): void {
    if (socket.destroyed) return;
    this.#useNewCredentials();
    this.#https.emit('connection', socket);
  }

  /** A rotated certificate serves from the next handshake on. */
  #useNewCredentials(): void {
    const credentials = this.#options.credentials();
    if (credentials === this.#credentials) return;
    this.#credentials = credentials;
    this.#https.setSecureContext(secureContextOptions(credentials));
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { onRequest } = this.#listen;
    if (onRequest === undefined) {
      response
        .writeHead(426, { upgrade: 'websocket', connection: 'close' })
        .end('this port speaks WebSocket\n');
      return;
    }
    response.on('error', () => {}); // the client left; its place is freed when the socket closes
    try {
      onRequest(request, response);
    } catch (error) {
      this.#listen.onHandshakeError?.(error as Error, addressOf(request.socket));
      if (response.headersSent) request.socket.destroy();
      else response.writeHead(500, { connection: 'close' }).end();
    }
  }

  #onUpgrade(request: IncomingMessage, tls: TLSSocket, head: Buffer): void {
    const remoteAddress = addressOf(tls);
    let peer: PeerIdentity;
    try {
      if (request.url !== TUNNEL_PATH)
        throw new TunnelError('ERR_TUNNEL_REJECTED', `no tunnel at ${request.url ?? ''}`);
      peer = verifyPeer(peerCertificate(tls), {
        ...this.#options.verify,
        role: 'edge',
        ...(this.#options.peers === true && { node: true }),
        authorities: this.#credentials.authorities,
      });
      checkSubprotocol(request);
    } catch (error) {
      this.#refuse(tls, error as Error, remoteAddress);
      return;
    }
    this.#upgrades.handleUpgrade(request, tls, head, (socket) => {
      const connection = new MuxConnection({
        carrier: new WsCarrier(socket, tls),
        dialer: false,
        peer,
        remoteAddress,
        limits: this.#options.limits,
      });
      connection.start();
      this.#handOver(connection, remoteAddress);
    });
  }

  #refuse(tls: TLSSocket, error: Error, remoteAddress: string): void {
    const code = error instanceof TunnelError ? error.code : 'ERR_TUNNEL_REJECTED';
    const said = encodeURIComponent(boundedText(error.message, MAX_REASON_CHARACTERS));
    // The peer may be gone already. Reading on notices when it goes, so that its place is free at once.
    tls.on('error', () => {});
    tls.resume();
    tls.end(
      `HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n${ERROR_HEADER}: ${code}\r\n${MESSAGE_HEADER}: ${said}\r\n\r\n`,
    );
    this.#listen.onHandshakeError?.(error, remoteAddress);
  }

  #handOver(connection: MuxConnection, remoteAddress: string): void {
    const handshake = this.#handshakes.get(remoteAddress);
    this.#handshakes.delete(remoteAddress);
    this.#listen
      .onConnection(connection)
      .catch((error: unknown) => {
        connection.destroy({ code: 'internal', message: messageOf(error) });
        this.#listen.onHandshakeError?.(error as Error, remoteAddress);
      })
      .finally(() => handshake?.admission.established());
  }
}

/** A client that does not speak this version of the multiplexer is told so. */
function checkSubprotocol(request: IncomingMessage): void {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (offered.includes(SUBPROTOCOL)) return;
  const message = `this hub speaks ${SUBPROTOCOL}, the client ${offered.join(', ') || 'nothing that it names'}`;
  throw new TunnelError('ERR_TUNNEL_INCOMPATIBLE', message);
}

function addressOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
}
