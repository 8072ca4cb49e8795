import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { isPlainObject } from '../../src/meta/json.ts';

/** An answer, its body parsed where it is JSON. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly warnings: readonly string[];
  readonly body: Record<string, unknown>;
  readonly text: string;
}

/** What to send beside method and path. */
export interface Sent {
  /** A value (sent as JSON), or bytes as they are. */
  readonly body?: unknown;
  readonly headers?: OutgoingHttpHeaders;
  readonly tls?: RequestOptions;
}

/** Sends one request on a connection of its own. */
export function send(url: string, method: string, path: string, sent: Sent = {}): Promise<Reply> {
  const { body, headers = {}, tls = {} } = sent;
  const bytes =
    body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const length = bytes === undefined ? {} : { 'content-length': bytes.length };
  const type = bytes === undefined ? {} : { 'content-type': 'application/json' };
  const make = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const options = { method, headers: { ...type, ...length, ...headers }, agent: false, ...tls };
    const request = make(`${url}${path}`, options, (response) => {
      read(response).then(resolve, reject);
    });
    request.once('error', reject);
    request.end(bytes);
  });
}

async function read(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const isJson = (response.headers['content-type'] ?? '').startsWith('application/json') && text !== '';
  const parsed: unknown =
    isJson && response.headers['content-encoding'] === undefined ? JSON.parse(text) : undefined;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    warnings: response.headersDistinct['warning'] ?? [],
    body: isPlainObject(parsed) ? parsed : {},
    text,
  };
}

/** A watch that is open. */
export interface Watching {
  readonly status: number;
  readonly events: { readonly type: string; readonly object: Record<string, unknown> }[];
  readonly response: IncomingMessage;
  readonly ended: Promise<void>;
  close(): void;
}

/** Opens a watch. `read: false`: nothing is read, as a client that hangs. */
export function watch(
  url: string,
  path: string,
  options: { read?: boolean; headers?: OutgoingHttpHeaders } = {},
): Promise<Watching> {
  const events: Watching['events'] = [];
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${url}${path}`,
      { agent: false, headers: options.headers ?? {} },
      (response) => {
        let rest = '';
        if (options.read !== false) {
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            const lines = (rest + chunk).split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines) events.push(JSON.parse(line) as Watching['events'][number]);
          });
        }
        const ended = new Promise<void>((done) => response.once('close', () => done()));
        response.once('error', () => {}); // a server that destroys the connection is what some tests are about
        resolve({
          status: response.statusCode ?? 0,
          events,
          response,
          ended,
          close: () => request.destroy(),
        });
      },
    );
    request.once('error', reject);
    request.end();
  });
}

/** The names of a list's items. */
export function names(list: Record<string, unknown>): string[] {
  const items = list['items'] as { metadata: { name: string } }[];
  return items.map(({ metadata }) => metadata.name);
}

/** `metadata` of an object. */
export function meta(object: Record<string, unknown>): Record<string, unknown> {
  return object['metadata'] as Record<string, unknown>;
}
