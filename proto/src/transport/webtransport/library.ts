import type { IncomingHttpHeaders, Http2Stream, ServerHttp2Stream } from 'node:http2';
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { messageOf, TunnelError } from '../../errors.ts';

/** A WebTransport stream. */
export interface LibraryStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** A WebTransport session, at either end. */
export interface LibrarySession {
  readonly ready: Promise<unknown>;
  readonly closed: Promise<unknown>;
  readonly incomingBidirectionalStreams: ReadableStream<LibraryStream>;
  createBidirectionalStream(): Promise<LibraryStream>;
  /** The session's own side, until it is closed. */
  readonly objint?: { readonly stream: Http2Stream };
}

/** What the library's client asks of its HTTP/2 session. */
export interface ClientHttp2 {
  request(headers: object): Http2Stream;
  readonly remoteSettings: object;
  close(): void;
}

/** The library's HTTP/2 client. It dials by itself, with checks of its own, unless {@link createTransport} is another. */
export interface LibraryClientTransport {
  createTransport: () => void;
  clientInt: ClientHttp2;
  /** Told what has come of the dial. */
  readonly jsobj: {
    onClientConnected(outcome: { success: boolean }): void;
    onClientWebTransportSupport(support: object): void;
  };
}

/** The library's client, while it is made. */
export interface LibraryClient {
  readonly args: { createReliableClient: (client: unknown) => LibraryClientTransport };
}

/** A dialled session. */
export interface LibraryWebTransport extends LibrarySession {
  createClient(args: object): { readonly client: LibraryClient; readonly sessionint: unknown };
}

/** The library's server: what it does with an HTTP/2 stream is all that is used of it. */
export interface LibraryServer {
  createTransportInt(): Promise<void>;
  sessionStream(path: string): ReadableStream<LibrarySession>;
  readonly transportInt: {
    readonly serverInt: {
      listeners(
        event: 'stream',
      ): readonly ((stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void)[];
    };
  };
}

/** @fails-components/webtransport 1.6.8, with what is used of it beyond its documentation. */
export interface WebTransportLibrary {
  readonly Http2Server: new (options: object) => LibraryServer;
  readonly WebTransport: new (url: string, options: object) => LibraryWebTransport;
  /** Settles when it has tried to load its HTTP/3 addon. */
  readonly quicheLoaded: Promise<unknown>;
}

let loading: Promise<WebTransportLibrary> | undefined;

/**
 * Loads the library, once, when the first connection over webtransport wants it.
 * @throws TunnelError `ERR_TUNNEL_TRANSPORT_UNAVAILABLE`
 */
export function loadWebTransport(): Promise<WebTransportLibrary> {
  loading ??= load();
  return loading;
}

async function load(): Promise<WebTransportLibrary> {
  const restore = silenceMissingAddon();
  try {
    const library: unknown = await import('@fails-components/webtransport');
    const { quicheLoaded } = library as WebTransportLibrary; // the pinned version has what the interface says
    await quicheLoaded;
    return library as WebTransportLibrary;
  } catch (error) {
    const message = `webtransport needs @fails-components/webtransport, which does not load here: ${messageOf(error)}`;
    throw new TunnelError('ERR_TUNNEL_TRANSPORT_UNAVAILABLE', message, { cause: error });
  } finally {
    setImmediate(restore);
  }
}

/** What the library prints when its HTTP/3 addon is not there, which it never is: nothing of it is used. */
const COMPLAINTS = ['Problem loading http3-quiche', 'Did you install @fails-components', 'http3 loader:'];

/** Keeps the library's complaints out of the log, and nothing else. */
function silenceMissingAddon(): () => void {
  const { error, log } = console;
  const unless =
    (print: (...words: unknown[]) => void) =>
    (...words: unknown[]): void => {
      if (!COMPLAINTS.some((complaint) => String(words[0]).startsWith(complaint))) print(...words);
    };
  console.error = unless(error);
  console.log = unless(log);
  return () => Object.assign(console, { error, log });
}
