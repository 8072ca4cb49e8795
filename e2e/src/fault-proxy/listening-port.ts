import { once } from 'node:events';
import net, { type Server, type Socket } from 'node:net';

/** Most connections that wait in the kernel to be accepted; the kernel's own limit (somaxconn) may be lower. */
const BACKLOG = 4096;

/**
 * A TCP port that can be closed for a while and opened again under the same number. While closed, connecting to
 * it is refused (ECONNREFUSED), yet nobody else can get it: a socket that is connected to itself, which TCP allows
 * (simultaneous open, RFC 9293 section 3.5), keeps the number taken.
 */
export class ListeningPort {
  readonly host: string;
  readonly #onServer: (server: Server) => void;
  #port: number;
  #server: Server | undefined;
  #holder: Socket | undefined;

  /** `onServer` is called with each new server, to set it up before it listens. Port 0 is any that is free. */
  constructor(options: { host: string; port: number; onServer: (server: Server) => void }) {
    this.host = options.host;
    this.#port = options.port;
    this.#onServer = options.onServer;
  }

  /** The port's number; 0 before the first {@link open} if none was given. */
  get port(): number {
    return this.#port;
  }

  get isOpen(): boolean {
    return this.#server !== undefined;
  }

  /**
   * Listens.
   * @throws the error of `listen`, such as EADDRINUSE
   */
  async open(): Promise<void> {
    if (this.isOpen) return;
    const server = net.createServer({ allowHalfOpen: true, noDelay: true });
    this.#onServer(server);
    server.listen({ host: this.host, port: this.#port, backlog: BACKLOG });
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as net.AddressInfo).port; // listens on a port, not on a pipe
    this.#release();
  }

  /** Stops listening, and keeps the number taken. Connections that exist are not touched. */
  close(): void {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.close();
    const { host } = this;
    this.#holder = net.connect({ host, port: this.#port, localAddress: host, localPort: this.#port });
    // Without a holder the port could be lost to someone else; open() would then fail loudly.
    this.#holder.on('error', () => (this.#holder = undefined));
  }

  /** Stops listening for good, and gives the number back. */
  abandon(): void {
    this.#server?.close();
    this.#server = undefined;
    this.#release();
  }

  #release(): void {
    this.#holder?.resetAndDestroy();
    this.#holder = undefined;
  }
}
