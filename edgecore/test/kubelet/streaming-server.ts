import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * A runtime's streaming server that understands nothing: it upgrades whatever it is asked for, and does with the
 * bytes what the test says.
 */
export class StreamingServer {
  readonly requests: IncomingMessage[] = [];
  readonly sockets: Socket[] = [];
  /** What becomes of an upgraded connection. Default: whatever comes goes back. */
  serve: (socket: Duplex) => void = (socket) => void socket.pipe(socket);
  /** A refusal in place of the upgrade. */
  refusal:
    { readonly status: number; readonly headers: Record<string, string>; readonly body: string } | undefined;
  /** Whether it never answers. */
  isSilent = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer();
    this.#server.on('connection', (socket: Socket) => this.sockets.push(socket));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  async start(): Promise<URL> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return new URL(`http://127.0.0.1:${port}/exec/token-1`);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.requests.push(request);
    socket.on('error', () => {}); // the test has cut it
    if (this.isSilent) {
      socket.on('end', () => socket.destroy()).resume();
      return;
    }
    if (this.refusal !== undefined) {
      const { status, headers, body } = this.refusal;
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      // The connection stays open, as that of a server in Go does.
      socket.write(
        `HTTP/1.1 ${status} Refused\r\n${lines.join('')}Content-Length: ${body.length}\r\n\r\n${body}`,
      );
      return;
    }
    const protocol = request.headers.upgrade ?? '';
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n` +
        'X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n',
    );
    if (head.length > 0) socket.unshift(head);
    this.serve(socket);
  }
}
