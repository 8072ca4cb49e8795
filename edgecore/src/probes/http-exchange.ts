import http from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MAX_OUTPUT_BYTES } from './probe-outcome.ts';

const MAX_HEADER_BYTES = 256 * 1024;
const HTTPS_PORT = 443;
const HTTP_PORT = 80;

/** One request. */
export interface HttpExchange {
  readonly url: URL;
  /** As it is sent. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly signal: AbortSignal;
}

/** What came back. */
export interface HttpAnswer {
  readonly status: number;
  /** Its first 10 KiB. */
  readonly body: string;
  readonly location: string | undefined;
}

/**
 * Sends a GET on a connection of its own, which is closed after it; certificates are not looked at. Of a longer body
 * the rest is not read.
 * @throws Error of the connection, or of a header that HTTP does not allow; signal.reason
 */
export function httpExchange({ url, path, headers, signal }: HttpExchange): Promise<HttpAnswer> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    // Without an agent, which would cost as much as all else of it.
    const request = http.request({
      createConnection: () => connectTo(url),
      host: url.hostname,
      port: url.port,
      path,
      headers,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    const settle = (finish: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      request.destroy();
      finish();
    };
    const fail = (error: unknown): void => settle(() => reject(error));
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener('abort', onAbort);
    request.on('error', fail);
    request.on('response', (response) => {
      const { statusCode: status = 0 } = response;
      const { location } = response.headers;
      const pieces: Buffer[] = [];
      let bytes = 0;
      const finish = (): void => {
        const body = Buffer.concat(pieces).toString('utf8', 0, Math.min(bytes, MAX_OUTPUT_BYTES));
        settle(() => resolve({ status, body, location }));
      };
      response.on('data', (piece: Buffer) => {
        pieces.push(piece);
        bytes += piece.length;
        if (bytes >= MAX_OUTPUT_BYTES) finish();
      });
      response.on('end', finish);
      response.on('error', fail);
    });
    request.end();
  });
}

function connectTo(url: URL): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:') return connect({ host, port: Number(url.port || HTTP_PORT) });
  const servername = isIP(host) === 0 ? host : '';
  return connectTls({ host, port: Number(url.port || HTTPS_PORT), servername, rejectUnauthorized: false });
}
