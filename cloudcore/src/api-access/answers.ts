import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Status } from '@hawser/kube';

/** Answers with a Status. */
export function answerStatus(response: ServerResponse, status: Status): void {
  const body = Buffer.from(JSON.stringify(status));
  response.writeHead(status.code, headersOf(status, body));
  response.end(body);
}

/** Answers with a Status on a connection that nobody else answers on, and ends it. */
export function upgradeStatus(socket: Duplex, status: Status): void {
  if (!socket.writable) return;
  const { code } = status;
  const body = Buffer.from(JSON.stringify(status));
  const lines = Object.entries(headersOf(status, body)).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${code} ${STATUS_CODES[code] ?? 'Refused'}`, ...lines, 'Connection: close'];
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
  socket.resume(); // its end is behind what it still sends
}

function headersOf({ details }: Status, body: Buffer): Record<string, string> {
  const seconds = details?.retryAfterSeconds;
  return {
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    'Cache-Control': 'no-cache, private',
    ...(seconds !== undefined && { 'Retry-After': String(seconds) }),
  };
}
