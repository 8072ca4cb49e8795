import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EdgeAnswer } from './edge-http.ts';
import { SpdyStatus } from './spdy-status.ts';

/** For a client to end its direction once all has been said, milliseconds. */
const LINGER_MS = 5000;

/** The two ends of an upgraded connection. */
export interface UpgradeEnds {
  /** The client's. */
  readonly client: Duplex;
  /** What has come from the client already. */
  readonly clientHead: Buffer;
  readonly edge: NonNullable<EdgeAnswer['upgraded']>;
}

/**
 * Joins the two ends, byte for byte: each direction ends by itself, and no side takes more than the other has taken.
 * Resolves when both have ended. A reset or a lost connection of one is one of the other. Never rejects.
 */
export async function joinEnds({ client, clientHead, edge }: UpgradeEnds): Promise<void> {
  // The HTTP server's own, and those of two pipelines: more than the ten that seem suspicious.
  for (const end of [client, edge.socket]) end.setMaxListeners(0);
  if (clientHead.length > 0) edge.socket.write(clientHead);
  if (edge.head.length > 0) client.write(edge.head);
  const both = [pipeline(client, edge.socket), pipeline(edge.socket, client)];
  await Promise.allSettled(both);
  edge.socket.destroy();
  client.destroy();
}

/**
 * Joins the two ends of a command over SPDY as {@link joinEnds} does, but where the edge is lost before it has said how
 * the command went, this says so in its place: see {@link SpdyStatus}. Never rejects.
 * @param failure why there is no status; it is given the error of the edge's end, if there was one
 */
export async function joinCommand(
  { client, clientHead, edge }: UpgradeEnds,
  failure: (error: unknown) => string,
): Promise<void> {
  const giveUp = (): void => void edge.socket.destroy();
  client.once('close', giveUp);
  if (clientHead.length > 0) edge.socket.write(clientHead);
  client.pipe(edge.socket); // not a pipeline, which would take the client with it
  await Promise.allSettled([pipeline(said(edge, failure), client)]);
  edge.socket.destroy();
  // With something unread, closing would be a reset, and take the last words with it.
  client.unpipe(edge.socket).resume();
  await ended(client);
  client.destroy();
}

/** What a command says, and at last how it went. */
async function* said(
  { socket, head }: UpgradeEnds['edge'],
  failure: (error: unknown) => string,
): AsyncGenerator<Buffer> {
  const status = new SpdyStatus();
  let lost: unknown;
  try {
    if (head.length > 0) yield status.feed(head);
    for await (const chunk of socket as AsyncIterable<Buffer>) yield status.feed(chunk);
  } catch (error) {
    lost = error;
  }
  if (!status.isSaid) yield status.failure(failure(lost));
}

/** Waits until a client has ended its direction, too, but not for long. */
function ended(client: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (client.readableEnded || client.destroyed) resolve();
    const late = setTimeout(resolve, LINGER_MS);
    for (const event of ['end', 'close'] as const)
      client.once(event, () => {
        clearTimeout(late);
        resolve();
      });
  });
}

/** The head of an answer as it came, for a connection that is not HTTP any more. */
export function rawHead({ statusCode = 0, statusMessage = '', rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    lines.push(`${rawHeaders[at] ?? ''}: ${rawHeaders[at + 1] ?? ''}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Source: apimachinery, meta/v1 StatusReason. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/**
 * A whole answer on a connection that is not to be upgraded, which ends with it: a Status of Kubernetes. Clients would
 * take many a text for a Status as well, since "one thing: another" is YAML, and show nothing of it.
 * Source: client-go, transport/websocket; apimachinery, util/httpstream/spdy.
 */
export function refuseUpgrade(client: Duplex, code: number, message: string): void {
  const reason = REASONS[code] ?? 'InternalError';
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  const body = JSON.stringify(status);
  const head = [
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? 'Refused'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  client.write(`${head.join('\r\n')}\r\n\r\n`);
  client.end(body);
}
