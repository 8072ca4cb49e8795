import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { boundedText } from '../../bounded-text.ts';
import { TunnelError } from '../../errors.ts';
import type { Credentials } from '../../identity/credentials.ts';
import { verifyPeer } from '../../identity/identity-verifier.ts';
import type { PeerIdentity } from '../../identity/peer-identity.ts';
import { addressOf, GatedPort } from '../gated-port.ts';
import { peerCertificate, secureContextOptions } from '../tls-options.ts';
import type { Listener, ListenOptions, TransportOptions } from '../transport.ts';
import { MuxConnection } from '../mux/mux-connection.ts';
import { WsCarrier } from './ws-carrier.ts';
import { ERROR_HEADER, MESSAGE_HEADER } from './ws-dial.ts';
import { SUBPROTOCOL, TUNNEL_PATH, WS_OPTIONS } from './ws-options.ts';

/** What of a refusal's reason goes into a header: at most 4.5 KiB once it is percent-encoded. */
const MAX_REASON_CHARACTERS = 512;

/** Plain requests that one connection may carry. */
const MAX_REQUESTS = 2;

/** A hub's WebSocket port, or a peer's: gate → TLS → the edge's identity → upgrade. */
export class WsListener implements Listener {
  readonly transport = 'ws';
  readonly host: string;
  readonly #options: TransportOptions;
  readonly #listen: ListenOptions;
  readonly #gated: GatedPort;
  readonly #https: HttpsServer;
  readonly #upgrades: WebSocketServer;
  #credentials: Credentials;

  constructor(options: TransportOptions, listen: ListenOptions) {
    this.#options = options;
    this.#listen = listen;
    this.host = listen.host;
    this.#credentials = options.credentials();
    this.#gated = new GatedPort({
      listen,
      handshakeTimeoutMs: options.limits.handshakeTimeoutMs,
      begin: (socket) => this.#beginTls(socket),
    });
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
    return this.#gated.port;
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
    await this.#gated.start();
  }

  close(): Promise<void> {
    return this.#gated.close();
  }

  #beginTls(socket: Socket): void {
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
      this.#gated.handOver(connection);
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
}

/** A client that does not speak this version of the multiplexer is told so. */
function checkSubprotocol(request: IncomingMessage): void {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (offered.includes(SUBPROTOCOL)) return;
  const message = `this hub speaks ${SUBPROTOCOL}, the client ${offered.join(', ') || 'nothing that it names'}`;
  throw new TunnelError('ERR_TUNNEL_INCOMPATIBLE', message);
}
