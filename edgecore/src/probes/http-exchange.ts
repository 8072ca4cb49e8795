import { validateHeaderName, validateHeaderValue } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { HttpAnswerReader, type HttpAnswer } from './http-answer-reader.ts';

const HTTPS_PORT = 443;
const HTTP_PORT = 80;

/** One request. */
export interface HttpExchange {
  readonly url: URL;
  /** As it is sent: nothing in it that HTTP does not allow. */
  readonly path: string;
  /** By name; one without `host` has that of the URL. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly signal: AbortSignal;
}

/**
 * Sends a GET on a connection of its own, which is closed after it; certificates are not looked at. Of a longer body
 * the rest is not read.
 * @throws Error of the connection, of an answer that is no HTTP, or of a header that HTTP does not allow; signal.reason
 */
export async function httpExchange(exchange: HttpExchange): Promise<HttpAnswer> {
  const { url, signal } = exchange;
  signal.throwIfAborted();
  const request = requestText(exchange);
  return new Promise((resolve, reject) => {
    const socket = connectTo(url);
    const reader = new HttpAnswerReader();
    const settle = (finish: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      finish();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const onAbort = (): void => fail(signal.reason as Error);
    const reading = (read: () => HttpAnswer | undefined): void => {
      try {
        const answer = read();
        if (answer !== undefined) settle(() => resolve(answer));
      } catch (error) {
        fail(error as Error);
      }
    };
    signal.addEventListener('abort', onAbort);
    socket.on('error', fail);
    socket.on('data', (piece: Buffer) => reading(() => reader.push(piece)));
    socket.on('end', () => reading(() => reader.end()));
    socket.write(request, 'latin1');
  });
}

function requestText({ url, path, headers }: HttpExchange): string {
  const lines = [`GET ${path} HTTP/1.1`];
  if (headers['host'] === undefined) lines.push(`Host: ${url.host}`);
  for (const [name, values] of Object.entries(headers)) {
    validateHeaderName(name);
    for (const value of typeof values === 'string' ? [values] : values) {
      validateHeaderValue(name, value);
      lines.push(`${name}: ${value}`);
    }
  }
  return `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`;
}

function connectTo(url: URL): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:') return connect({ host, port: Number(url.port || HTTP_PORT) });
  const servername = isIP(host) === 0 ? host : '';
  return connectTls({ host, port: Number(url.port || HTTPS_PORT), servername, rejectUnauthorized: false });
}
