import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { ReadableStreamDefaultReader } from 'node:stream/web';
import { TunnelError } from '../../errors.ts';
import type { Credentials } from '../../identity/credentials.ts';
import { secureContextOptions } from '../tls-options.ts';
import { loadWebTransport, type LibraryServer, type LibrarySession, type LibraryStream } from './library.ts';
import { LIBRARY_SETTINGS, WEBTRANSPORT_PATH } from './settings.ts';

type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/**
 * The library's server without its port: HTTP/2 is ours (webtransport-listener.ts), with its gate, TLS and limits; the
 * library makes WebTransport of the streams that it is given.
 */
export class SessionServer {
  readonly #credentials: Credentials;
  #onStream: StreamListener | undefined;
  #sessions: ReadableStreamDefaultReader<LibrarySession> | undefined;

  /** @param credentials the library insists on a key and a certificate, and never uses them */
  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** @throws TunnelError `ERR_TUNNEL_TRANSPORT_UNAVAILABLE` */
  async start(): Promise<void> {
    const { Http2Server } = await loadWebTransport();
    const { key, cert } = secureContextOptions(this.#credentials);
    const options = { ...LIBRARY_SETTINGS, host: 'localhost', port: 0, secret: 'unused', cert, privKey: key };
    const server: LibraryServer = new Http2Server(options);
    await server.createTransportInt();
    [this.#onStream] = server.transportInt.serverInt.listeners('stream');
    this.#sessions = server.sessionStream(WEBTRANSPORT_PATH).getReader();
  }

  /**
   * Answers a request for a session that is checked already, and waits for the client's one stream. May never settle
   * once the HTTP/2 stream has ended.
   */
  async accept(http2: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<LibraryStream> {
    if (this.#onStream === undefined || this.#sessions === undefined)
      throw new TunnelError(
        'ERR_TUNNEL_TRANSPORT_UNAVAILABLE',
        'the WebTransport library is not the expected one',
      );
    this.#onStream(http2, headers); // adds to the sessions in the same turn, or throws
    const { value: session } = await this.#sessions.read();
    if (session?.objint?.stream !== http2) throw ended();
    for (const promise of [session.ready, session.closed]) promise.catch(() => {}); // the stream tells its end
    const { value: stream } = await session.incomingBidirectionalStreams.getReader().read();
    if (stream === undefined) throw ended();
    return stream;
  }
}

function ended(): TunnelError {
  return new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the session ended before it had a stream');
}
