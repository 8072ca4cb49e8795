import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { deferred, type Deferred } from '@hawser/seams';
import { RuntimeError } from '../runtime-error.ts';
import type { StreamTarget } from './stream-target.ts';

/** Serves an upgraded request. */
export type ServeStream = (
  target: StreamTarget,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
) => void;

const TOKEN_BYTES = 24;
/** Source: containerd: an address that is not used within a minute is forgotten. */
const TICKET_MS = 60_000;
const MAX_TICKETS = 256;
const PATHS = { exec: 'exec', attach: 'attach', 'port-forward': 'portforward' } as const;

/** The HTTP server of streams, on loopback: a path that nobody can guess leads to one stream, once, and soon. */
export class StreamTickets {
  readonly #serve: ServeStream;
  readonly #server: Server = createServer((_, response) =>
    response.writeHead(426).end('an upgrade is needed\n'),
  );
  readonly #tickets = new Map<string, { readonly target: StreamTarget; readonly timer: NodeJS.Timeout }>();
  readonly #sockets = new Set<Duplex>();
  #listening: Deferred<void> | undefined;

  constructor(serve: ServeStream) {
    this.#serve = serve;
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Streams that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /** @throws RuntimeError too many were asked for, and not used */
  async issue(target: StreamTarget): Promise<string> {
    if (this.#tickets.size >= MAX_TICKETS)
      throw new RuntimeError('ERR_EDGECORE_RUNTIME', 'too many streams were asked for at a time');
    await this.#listen();
    const path = `/${PATHS[target.kind]}/${randomBytes(TOKEN_BYTES).toString('base64url')}`;
    const timer = setTimeout(() => this.#tickets.delete(path), TICKET_MS);
    timer.unref();
    this.#tickets.set(path, { target, timer });
    const { port } = this.#server.address() as AddressInfo; // it listens on a port
    return `http://127.0.0.1:${port}${path}`;
  }

  /** Ends every stream. */
  stop(): void {
    for (const { timer } of this.#tickets.values()) clearTimeout(timer);
    this.#tickets.clear();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #listen(): Promise<void> {
    if (this.#listening !== undefined) return this.#listening.promise;
    const listening = deferred();
    this.#listening = listening;
    this.#server.once('error', (error) => listening.reject(error));
    this.#server.listen(0, '127.0.0.1', () => listening.resolve());
    return listening.promise;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = request.url?.split('?')[0] ?? '';
    const ticket = this.#tickets.get(path);
    this.#tickets.delete(path);
    socket.on('error', () => {}); // who serves it sees it closed
    if (ticket === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    clearTimeout(ticket.timer);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    this.#serve(ticket.target, request, socket, head);
  }
}
