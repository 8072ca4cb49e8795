import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { StreamDuplex, type Stream } from '@hawser/proto';
import type { Clock, Logger, Timer } from '@hawser/seams';
import { httpHead } from './upgrade-proxy.ts';

/** What answers the requests of a {@link StreamServer}. Neither of them rejects. */
export interface HttpHandler {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

/** What a {@link StreamServer} needs. */
export interface StreamServerOptions {
  readonly handler: HttpHandler;
  /** Streams at a time; one more is answered with 429. Default 64. */
  readonly maxStreams?: number;
  /** How long a stream may take to bring its request, milliseconds. Default 10,000. */
  readonly headersMs?: number;
  /** How long nothing may happen on a stream, milliseconds. Default 4 h, as a kubelet's streamingConnectionIdleTimeout. */
  readonly idleMs?: number;
  /** How long the other end has to end its side once everything was answered, milliseconds. Default 10,000. */
  readonly lingerMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const DEFAULTS = { maxStreams: 64, headersMs: 10_000, idleMs: 4 * 3_600_000, lingerMs: 10_000 } as const;
/** Larger ones are refused by Node with 431. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * HTTP/1.1 on streams of the tunnel: each is one connection, for one request. Nothing is read ahead of a handler that does not read,
 * beyond the window of its stream.
 */
export class StreamServer {
  readonly #options: Required<StreamServerOptions>;
  readonly #server: Server;
  readonly #open = new Set<Duplex>();
  /** Those that have not brought a request yet. */
  readonly #waiting = new Map<Duplex, Timer>();

  constructor(options: StreamServerOptions) {
    this.#options = { ...DEFAULTS, ...options };
    const { handler, idleMs } = this.#options;
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES });
    this.#server.maxRequestsPerSocket = 1;
    this.#server.timeout = idleMs;
    this.#server.on('request', (request, response) => {
      this.#begun(request.socket);
      void handler.handle(request, response);
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.#begun(socket);
      void handler.upgrade(request, socket, head);
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (error.code === 'HPE_HEADER_OVERFLOW') refuse(socket, 431, 'Request Header Fields Too Large', '');
      else refuse(socket, 400, 'Bad Request', 'this is no HTTP/1.1 request');
    });
  }

  /** Streams that are served now. */
  get streams(): number {
    return this.#open.size;
  }

  /** Serves a stream that the other side has opened. */
  accept(stream: Stream): void {
    const { maxStreams, clock, log, headersMs, lingerMs } = this.#options;
    const duplex = new StreamDuplex(stream, { clock });
    const isTooMany = this.#open.size >= maxStreams;
    this.#open.add(duplex);
    let lingering: Timer | undefined;
    duplex.on('finish', () => {
      // All was said. Who does not end the other direction then is not waited for.
      lingering = clock.setTimer(lingerMs, () => duplex.destroy(), { background: true });
    });
    duplex.on('close', () => {
      lingering?.cancel();
      this.#begun(duplex);
      this.#open.delete(duplex);
    });
    duplex.on('error', (error) => log.debug({ err: error, stream: stream.id }, 'a kubelet stream failed'));
    if (isTooMany) {
      log.warn({ maxStreams }, 'too many kubelet streams at a time; one is refused');
      const text = `the node serves ${maxStreams} requests at a time, and takes no more`;
      refuse(duplex, 429, 'Too Many Requests', text);
      return;
    }
    duplex.on('timeout', () => duplex.destroy());
    // Node's server has this time-out only for a server that listens, which this one never does.
    const onLate = (): void => void duplex.destroy();
    this.#waiting.set(duplex, clock.setTimer(headersMs, onLate, { background: true }));
    this.#server.emit('connection', duplex);
  }

  /** Ends every stream at once. Idempotent. */
  stop(): void {
    for (const duplex of this.#open) duplex.destroy();
  }

  #begun(duplex: Duplex): void {
    this.#waiting.get(duplex)?.cancel();
    this.#waiting.delete(duplex);
  }
}

/** Answers without having read a request, and ends the connection. */
function refuse(socket: Duplex, status: number, reason: string, text: string): void {
  if (!socket.writable) return;
  const body = Buffer.from(text);
  const headers = ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(body.length)];
  if (status === 429) headers.push('Retry-After', '1');
  socket.end(
    Buffer.concat([Buffer.from(httpHead(status, reason, [...headers, 'Connection', 'close'])), body]),
  );
  socket.resume(); // its end is behind what it still sends
}
