import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  StreamDuplex,
  TunnelClient,
  tunnelLimits,
  WsTransport,
  type Credentials,
  type SessionFrame,
  type Tunnel,
} from '@hawser/proto';
import { eventually } from '@hawser/seams/testing';

/** Takes over an upgraded stream. */
export type Upgraded = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** An edge of the protocol that serves HTTP on streams of kind `kubelet`, as a test says. */
export class FakeEdge {
  readonly node: string;
  readonly frames: SessionFrame[] = [];
  /** Requests that came, `GET /containerLogs/…`. */
  readonly asked: string[] = [];
  onRequest: RequestListener = (_request, response) => void response.writeHead(404).end('no such\n');
  onUpgrade: Upgraded = (_request, socket) => void socket.destroy();
  readonly #server: Server;
  readonly #port: number;
  readonly #credentials: Credentials;
  #client: TunnelClient | undefined;

  constructor(port: number, credentials: Credentials, node: string) {
    this.node = node;
    this.#port = port;
    this.#credentials = credentials;
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      this.onRequest(request, response);
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      this.onUpgrade(request, socket, head);
    });
    this.#server.on('clientError', (_error, socket) => void socket.destroy());
  }

  /** Begins a session, or the next one. */
  async connect(): Promise<Tunnel> {
    await this.disconnect();
    const transport = new WsTransport({ credentials: () => this.#credentials, limits: tunnelLimits() });
    const client = new TunnelClient({
      routes: [{ transport, hub: { host: '127.0.0.1', port: this.#port } }],
      hello: () => ({ node: this.node, software: 'edge/test', heartbeatMs: 2000 }),
      onTunnel: (tunnel) => {
        void this.#serve(tunnel);
        return (frame) => void this.frames.push(frame);
      },
    });
    this.#client = client;
    client.start();
    await eventually('a session', () => client.tunnel !== undefined, { deadlineMs: 10_000 });
    return this.tunnel;
  }

  get tunnel(): Tunnel {
    const tunnel = this.#client?.tunnel;
    if (tunnel === undefined) throw new TypeError('the edge has no session');
    return tunnel;
  }

  /** Ends the session in good order, and does not come back. */
  async disconnect(): Promise<void> {
    await this.#client?.stop();
    this.#client = undefined;
  }

  async stop(): Promise<void> {
    await this.disconnect();
    this.#server.closeAllConnections();
  }

  async #serve(tunnel: Tunnel): Promise<void> {
    for (
      let stream = await tunnel.acceptStream();
      stream !== undefined;
      stream = await tunnel.acceptStream()
    ) {
      const duplex = new StreamDuplex(stream);
      duplex.on('error', () => {});
      this.#server.emit('connection', duplex);
    }
  }
}
