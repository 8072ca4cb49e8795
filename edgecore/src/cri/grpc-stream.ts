import http2 from 'node:http2';
import { RuntimeError } from '../runtime/runtime-error.ts';
import { frameOf, FrameReader } from './grpc-frames.ts';
import { decodeGrpcMessage, GRPC, statusError, unreachable } from './grpc-status.ts';

/** What happens on a {@link GrpcStream}. */
export interface GrpcStreamEvents {
  /** A message has come. */
  message(data: Uint8Array): void;
  /** It is over, once: undefined after status 0. */
  end(error: Error | undefined): void;
}

/** What a {@link GrpcStream} is opened with. */
export interface GrpcStreamOptions {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The one message that is sent. */
  readonly request: Uint8Array;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Told to the server, which gives up then. Its answer is waited for by the caller. */
  readonly timeoutMs?: number | undefined;
  /** Of one message that comes. */
  readonly limitBytes: number;
}

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = http2.constants;
/** Source: gRPC over HTTP/2, "TimeoutValue": at most 8 digits. */
const LONGEST_TIMEOUT_MS = 99_999_999;

/**
 * One call on an HTTP/2 session: one message goes, any number come, then a status.
 * Source: gRPC over HTTP/2, "Requests", "Responses", "HTTP2 transport mapping".
 */
export class GrpcStream {
  readonly #stream: http2.ClientHttp2Stream;
  readonly #events: GrpcStreamEvents;
  readonly #about: string;
  readonly #reader: FrameReader;
  #status: { readonly code: number; readonly message: string } | undefined;
  #failure: Error | undefined;
  #over = false;

  /** @throws RuntimeError `ERR_EDGECORE_RUNTIME_UNREACHABLE` where the session has just ended */
  constructor(session: http2.ClientHttp2Session, options: GrpcStreamOptions, events: GrpcStreamEvents) {
    this.#events = events;
    this.#about = options.path.slice(options.path.lastIndexOf('/') + 1);
    this.#reader = new FrameReader(options.limitBytes);
    this.#stream = openStream(session, options, this.#about);
    this.#listen();
    this.#stream.end(frameOf(options.request));
  }

  /** Gives the call up: the server is told, `end` is not. Idempotent. */
  cancel(): void {
    this.#over = true;
    this.#reset();
    this.#stream.resume(); // what is still in it would keep it from closing
  }

  /** Takes no more from the socket than what is on its way, until {@link resume}. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  #listen(): void {
    const stream = this.#stream;
    stream.on('response', (headers) => this.#onHeaders(headers));
    stream.on('trailers', (headers) => this.#onStatus(headers as http2.IncomingHttpHeaders));
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('error', (error: Error) => (this.#failure ??= this.#brokenOff(error)));
    // With a status nothing more can come; without one the reason is known only once all is closed.
    stream.on('end', () => {
      if (this.#status !== undefined) this.#finish();
    });
    stream.on('close', () => this.#finish());
  }

  #onHeaders(headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader): void {
    const httpStatus = headers[':status'];
    const type = headers['content-type'] ?? '';
    if (headers['grpc-status'] !== undefined) {
      this.#onStatus(headers);
    } else if (httpStatus !== 200 || !type.startsWith('application/grpc')) {
      this.#refuse(
        `answered HTTP ${httpStatus ?? 0} with ${type === '' ? 'no type' : type}: this is no gRPC`,
      );
    }
  }

  #onStatus(headers: http2.IncomingHttpHeaders): void {
    const text = headers['grpc-status'];
    const code = typeof text === 'string' && /^\d{1,3}$/.test(text) ? Number(text) : undefined;
    if (code === undefined) return; // without a status the call has failed: see #outcome
    const message = headers['grpc-message'];
    this.#status = { code, message: typeof message === 'string' ? decodeGrpcMessage(message) : '' };
  }

  #onData(chunk: Buffer): void {
    if (this.#over || this.#failure !== undefined) return;
    let messages: Uint8Array[];
    try {
      messages = this.#reader.push(chunk);
    } catch (error) {
      this.#refuse((error as Error).message);
      return;
    }
    for (const message of messages) this.#deliver(message);
  }

  /** Whoever takes a message may cancel, and wants no more then. */
  #deliver(message: Uint8Array): void {
    if (!this.#over) this.#events.message(message);
  }

  /** The server does what gRPC does not allow, or what we do not take: nothing more is read. */
  #refuse(what: string): void {
    this.#failure = new RuntimeError('ERR_EDGECORE_RUNTIME', `${this.#about}: ${what}`, {
      about: this.#about,
    });
    this.#reset();
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.end(this.#outcome());
    this.#reset();
  }

  /**
   * Has the server stop, if the stream is not closed by then. In a turn of its own: Node sends what it has with a
   * reset at once. From an event of a stream, or from a promise that goes on after one, it would do so in the midst of
   * taking data in, and go on with a stream that it has freed meanwhile: the heap is damaged, and sooner or later the
   * process aborts. Source: nodejs/node issue 64113.
   */
  #reset(): void {
    setImmediate(() => {
      if (!this.#stream.closed && !this.#stream.destroyed) this.#stream.close(NGHTTP2_CANCEL);
    });
  }

  #outcome(): Error | undefined {
    if (this.#failure !== undefined) return this.#failure;
    if (this.#status === undefined) return this.#brokenOff();
    if (this.#status.code !== GRPC.ok)
      return statusError(this.#status.code, this.#status.message, this.#about);
    if (!this.#reader.partial) return undefined;
    return new RuntimeError(
      'ERR_EDGECORE_RUNTIME',
      `${this.#about}: the answer ends in the middle of a message`,
      {
        about: this.#about,
      },
    );
  }

  #brokenOff(cause?: Error): RuntimeError {
    const code = this.#stream.rstCode;
    if (code === NGHTTP2_REFUSED_STREAM)
      return unreachable(`${this.#about}: the runtime takes no calls`, this.#about);
    const why = cause?.message ?? `the runtime ended the call without a status (HTTP/2 code ${code})`;
    return unreachable(`${this.#about}: ${why}`, this.#about, cause);
  }
}

function openStream(
  session: http2.ClientHttp2Session,
  options: GrpcStreamOptions,
  about: string,
): http2.ClientHttp2Stream {
  const headers: http2.OutgoingHttpHeaders = {
    ...options.metadata,
    ':method': 'POST',
    ':path': options.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'hawser-edgecore',
  };
  if (options.timeoutMs !== undefined) {
    headers['grpc-timeout'] = `${Math.min(LONGEST_TIMEOUT_MS, Math.max(1, Math.ceil(options.timeoutMs)))}m`;
  }
  try {
    return session.request(headers, { endStream: false });
  } catch (error) {
    throw unreachable(`${about}: ${(error as Error).message}`, about, error);
  }
}
