import {
  createSecureServer,
  type Http2SecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '@hawser/seams';
import { TunnelError } from '../../errors.ts';
import type { Credentials } from '../../identity/credentials.ts';
import { MessageStream } from '../../stream/message-stream.ts';
import { addressOf, GatedPort } from '../gated-port.ts';
import { MuxConnection } from '../mux/mux-connection.ts';
import { secureContextOptions } from '../tls-options.ts';
import type { Listener, ListenOptions, TransportOptions } from '../transport.ts';
import { guardStream } from './guarded-stream.ts';
import { MAX_INTRODUCTION_BYTES, meetEdge } from './introduction.ts';
import { SessionPipe } from './session-pipe.ts';
import { SessionServer } from './session-server.ts';
import { HTTP2_OPTIONS, SESSION_WINDOW_BYTES, WEBTRANSPORT_PATH } from './settings.ts';
import { WebTransportCarrier } from './webtransport-carrier.ts';

/** An HTTP/2 session, and whether it has had its stream. */
interface Arrival {
  readonly remoteAddress: string;
  readonly tcp: Socket;
  isUsed: boolean;
}

/** A hub's WebTransport port: gate → TLS → HTTP/2 → one session → the edge's identity. */
export class WebTransportListener implements Listener {
  readonly transport = 'webtransport';
  readonly host: string;
  readonly #options: TransportOptions;
  readonly #listen: ListenOptions;
  readonly #gated: GatedPort;
  readonly #http2: Http2SecureServer;
  readonly #sessions: SessionServer;
  /** TCP connections by the peer's address and port. */
  readonly #tcp = new Map<string, Socket>();
  /** What is known of HTTP/2 sessions. Their sockets cannot be asked once they have ended. */
  readonly #arrivals = new WeakMap<Http2Session, Arrival>();
  #credentials: Credentials;

  constructor(options: TransportOptions, listen: ListenOptions) {
    this.#options = options;
    this.#listen = listen;
    this.host = listen.host;
    this.#credentials = options.credentials();
    const { handshakeTimeoutMs } = options.limits;
    this.#gated = new GatedPort({ listen, handshakeTimeoutMs, begin: (socket) => this.#beginTls(socket) });
    this.#sessions = new SessionServer(this.#credentials);
    this.#http2 = createSecureServer({
      ...HTTP2_OPTIONS,
      ...secureContextOptions(this.#credentials),
      handshakeTimeout: handshakeTimeoutMs,
      unknownProtocolTimeout: handshakeTimeoutMs,
    });
  }

  get port(): number {
    return this.#gated.port;
  }

  /** Binds the port. @throws TunnelError `ERR_TUNNEL_DIAL`, `ERR_TUNNEL_TRANSPORT_UNAVAILABLE` */
  async start(): Promise<void> {
    await this.#sessions.start();
    this.#http2.on('session', (session) => {
      session.on('error', () => {}); // its end is what counts
      session.setLocalWindowSize(SESSION_WINDOW_BYTES);
      const remoteAddress = addressOf(session.socket);
      const tcp = this.#tcp.get(remoteAddress);
      if (tcp === undefined) session.destroy();
      else this.#arrivals.set(session, { remoteAddress, tcp, isUsed: false });
    });
    this.#http2.on('stream', (stream, headers) => this.#onStream(stream, headers));
    this.#http2.on('unknownProtocol', (socket: Socket) => socket.destroy());
    this.#http2.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.#listen.onHandshakeError?.(error, socket.remoteAddress ?? 'unknown');
    });
    await this.#gated.start();
  }

  close(): Promise<void> {
    return this.#gated.close();
  }

  #beginTls(socket: Socket): void {
    const peer = addressOf(socket);
    this.#tcp.set(peer, socket);
    socket.once('close', () => this.#tcp.delete(peer));
    this.#useNewCredentials();
    this.#http2.emit('connection', socket);
  }

  /** A rotated certificate serves from the next handshake on. */
  #useNewCredentials(): void {
    const credentials = this.#options.credentials();
    if (credentials === this.#credentials) return;
    this.#credentials = credentials;
    this.#http2.setSecureContext(secureContextOptions(credentials));
  }

  /** An HTTP/2 session has one stream: the WebTransport session at our path. */
  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => {}); // likewise
    const { session } = stream;
    const arrival = session && this.#arrivals.get(session);
    if (session === undefined || session.destroyed || arrival === undefined) return; // it has ended meanwhile
    const wanted = [headers[':method'], headers[':protocol'], headers[':path']].join(' ');
    if (arrival.isUsed || wanted !== `CONNECT webtransport ${WEBTRANSPORT_PATH}`) {
      const message = `${wanted}: this port takes one WebTransport session at ${WEBTRANSPORT_PATH}`;
      // There is nobody to explain it to.
      this.#listen.onHandshakeError?.(
        new TunnelError('ERR_TUNNEL_BAD_FRAME', message),
        arrival.remoteAddress,
      );
      end(session, arrival);
      return;
    }
    arrival.isUsed = true;
    delete headers['wt-available-protocols']; // the library would answer it
    void this.#introduce(stream, session, headers, arrival);
  }

  async #introduce(
    stream: ServerHttp2Stream,
    session: Http2Session,
    headers: IncomingHttpHeaders,
    arrival: Arrival,
  ): Promise<void> {
    let violated: (error: TunnelError) => void = () => {};
    const broken = new Promise<never>((_resolve, reject) => {
      violated = reject;
      const left = (): void => reject(new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the edge left'));
      stream.once('close', left);
      stream.once('end', left);
    });
    guardStream(stream, (error) => violated(error));
    try {
      const connection = await Promise.race([this.#meet(stream, session, headers, arrival), broken]);
      violated = (error) => connection.onViolation(error);
      connection.start();
      this.#gated.handOver(connection);
    } catch (error) {
      this.#listen.onHandshakeError?.(error as Error, arrival.remoteAddress);
      // An edge that was told why it is refused closes once it has read that.
      const isTold = error instanceof TunnelError && error.code.startsWith('ERR_TUNNEL_CERT_');
      const waitMs = isTold ? this.#options.limits.closeTimeoutMs : 0;
      systemClock.setTimer(waitMs, () => end(session, arrival), { background: true });
    }
  }

  async #meet(
    stream: ServerHttp2Stream,
    session: Http2Session,
    headers: IncomingHttpHeaders,
    { remoteAddress, tcp }: Arrival,
  ): Promise<MuxConnection> {
    // A proxy of the socket that has everything but what would disturb HTTP/2.
    const tls = session.socket as TLSSocket;
    const hubCertificate = ownCertificate(tls);
    const pipe = new SessionPipe({ stream, session, tcp }, await this.#sessions.accept(stream, headers));
    const messages = new MessageStream(pipe, MAX_INTRODUCTION_BYTES);
    const peer = await meetEdge(
      { messages, tls, hubCertificate },
      { ...this.#options.verify, role: 'edge', authorities: this.#credentials.authorities },
    );
    return new MuxConnection({
      carrier: new WebTransportCarrier(messages),
      dialer: false,
      peer,
      remoteAddress,
      limits: this.#options.limits,
    });
  }
}

/** Ends a connection at once. HTTP/2 alone would wait for the other side where that has begun to leave. */
function end(session: Http2Session, { tcp }: Arrival): void {
  session.destroy();
  tcp.destroy();
}

/** The certificate that this side has shown on this connection: after a rotation others have the older one. */
function ownCertificate(tls: TLSSocket): Uint8Array {
  const certificate = tls.getX509Certificate();
  if (certificate === undefined)
    throw new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the TLS connection has ended');
  return certificate.raw;
}
