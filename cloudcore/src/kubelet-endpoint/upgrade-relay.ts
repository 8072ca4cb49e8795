import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EdgeAnswer } from './edge-http.ts';

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

/** The head of an answer as it came, for a connection that is not HTTP any more. */
export function rawHead({ statusCode = 0, statusMessage = '', rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    lines.push(`${rawHeaders[at] ?? ''}: ${rawHeaders[at + 1] ?? ''}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A whole answer on a connection that is not to be upgraded, which ends with it. */
export function refuseUpgrade(
  client: Duplex,
  status: number,
  body: string | Buffer,
  contentType = 'text/plain; charset=utf-8',
): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    `content-type: ${contentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  client.write(`${head.join('\r\n')}\r\n\r\n`);
  client.end(body);
}
