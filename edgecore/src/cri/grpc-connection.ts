import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { unreachable } from './grpc-status.ts';

/** As much may be on its way for one stream, and for all of them, before it has been read. */
const WINDOW_BYTES = 1024 * 1024;
/** Node counts what it keeps for a session; its default of 10 MB is less than one large answer. */
const SESSION_MEMORY_MB = 64;

/**
 * The HTTP/2 connection to a server on a unix socket: made when it is needed, and made anew after it broke. A local
 * socket ends when its peer does, so that nothing has to be sent to know that it is there.
 */
export class GrpcConnection {
  readonly #socketPath: string;
  #session: http2.ClientHttp2Session | undefined;
  /** The present one, and those whose server said goodbye and has not hung up yet. */
  readonly #open = new Set<http2.ClientHttp2Session>();
  #opening: Promise<http2.ClientHttp2Session> | undefined;
  #closed = false;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /**
   * The session, opened if there is none.
   * @throws RuntimeError `ERR_EDGECORE_RUNTIME_UNREACHABLE`
   */
  session(): Promise<http2.ClientHttp2Session> {
    if (this.#closed) return Promise.reject(unreachable('the connection was closed', this.#socketPath));
    const session = this.#session;
    if (session !== undefined && !session.closed && !session.destroyed) return Promise.resolve(session);
    this.#opening ??= this.#dial().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  /** Ends the connection and what is on it. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const session of this.#open) session.destroy();
    this.#session = undefined;
  }

  async #dial(): Promise<http2.ClientHttp2Session> {
    const socket = await this.#connect();
    if (this.#closed) {
      socket.destroy();
      throw unreachable('the connection was closed', this.#socketPath);
    }
    // The name is never looked up: the socket is there already. gRPC servers want a host, not a path.
    const session = http2.connect('http://localhost', {
      createConnection: () => socket,
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    });
    session.setLocalWindowSize(WINDOW_BYTES);
    // Streams tell what became of them by themselves; without a listener an error would end the process.
    session.on('error', () => session.destroy());
    session.once('close', () => this.#open.delete(session));
    this.#open.add(session);
    this.#session = session;
    return session;
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#socketPath);
      const onError = (error: Error): void => {
        reject(unreachable(`${this.#socketPath}: ${error.message}`, this.#socketPath, error));
      };
      socket.once('error', onError);
      socket.once('connect', () => {
        socket.off('error', onError);
        resolve(socket);
      });
    });
  }
}
