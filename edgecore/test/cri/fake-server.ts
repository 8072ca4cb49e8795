import { once } from 'node:events';
import http2 from 'node:http2';
import { frameOf } from '../../src/cri/grpc-frames.ts';

export type Handler = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

/** A real HTTP/2 server on a unix socket that answers each call as it is told to. */
export class FakeServer {
  readonly socketPath: string;
  /** What answers; may be changed at any time. */
  handler: Handler;
  readonly sessions = new Set<http2.ServerHttp2Session>();
  readonly #server = http2.createServer();

  constructor(socketPath: string, handler: Handler) {
    this.socketPath = socketPath;
    this.handler = handler;
    this.#server.on('session', (session) => {
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session));
      session.on('error', () => {});
    });
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', () => {}); // cancelled streams fail here, which is what is tested
      this.handler(stream, headers);
    });
  }

  async start(): Promise<void> {
    this.#server.listen(this.socketPath);
    await once(this.#server, 'listening');
  }

  /** Ends it as a crash does. */
  async stop(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Sends headers, as a server does before its first message. */
export function begin(stream: http2.ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
}

/** Ends a stream that has begun. */
export function end(stream: http2.ServerHttp2Stream, status: number | undefined, message?: string): void {
  stream.once('wantTrailers', () => {
    if (status === undefined) stream.close();
    else
      stream.sendTrailers({
        'grpc-status': status,
        ...(message === undefined ? {} : { 'grpc-message': message }),
      });
  });
  stream.end();
}

/** Answers with one message and status 0. */
export function answer(stream: http2.ServerHttp2Stream, message: Uint8Array): void {
  begin(stream);
  stream.write(frameOf(message));
  end(stream, 0);
}

/** Answers with a status alone, in one block of headers. */
export function refuse(stream: http2.ServerHttp2Stream, status: number, message: string): void {
  const headers = {
    ':status': 200,
    'content-type': 'application/grpc',
    'grpc-status': status,
    'grpc-message': message,
  };
  stream.respond(headers, { endStream: true });
}

/** The message of a request. */
export async function requestOf(stream: http2.ServerHttp2Stream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).subarray(5);
}
