import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { KubeletFailure } from './kubelet-failure.ts';

/** An upgrade that a client asks for: what the event `upgrade` of an HTTP server has. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What the client has sent after its request. */
  readonly head: Buffer;
}

/** What a proxied upgrade is bounded by. */
export interface UpgradeLimits {
  /** How long the other side has to answer the upgrade, milliseconds. */
  readonly answerMs: number;
  /** How long, without a byte, one direction may go on once the other has ended, milliseconds. */
  readonly halfOpenMs: number;
}

/** Headers that are about the connection to the client, or for us alone. */
const OURS_ALONE = new Set(['authorization']);
const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Sends an upgrade on to `url`: the same method, the same headers in their order, the same bytes after them. Whether
 * it is SPDY or WebSocket makes no difference. What the other side answers goes back as it is; after a 101 so do all
 * bytes, both ways, each side no faster than the other one reads. Resolves when it is over, whatever way.
 * Source: apimachinery, util/proxy UpgradeAwareHandler.
 *
 * @throws KubeletFailure 502 where nobody answers; `signal.reason`. The client has not been answered then.
 */
export async function proxyUpgrade(
  client: UpgradeRequest,
  url: URL,
  limits: UpgradeLimits,
  signal: AbortSignal,
): Promise<void> {
  const answer = await ask(client, url, limits.answerMs, signal);
  const { response, socket } = answer;
  if (socket === undefined) await passRefusal(response, client.socket, limits.halfOpenMs, signal);
  else await passBytes(client, socket, limits.halfOpenMs, signal);
}

/** A status line and headers, as they are sent. */
export function httpHead(status: number, reason: string, rawHeaders: readonly string[]): string {
  const lines = [`HTTP/1.1 ${status} ${reason}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    lines.push(`${rawHeaders[at] ?? ''}: ${rawHeaders[at + 1] ?? ''}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

interface Answer {
  readonly response: IncomingMessage;
  /** The upgraded connection; undefined: it was refused. */
  readonly socket: Duplex | undefined;
}

function ask(client: UpgradeRequest, url: URL, answerMs: number, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { request, socket: clientSocket } = client;
    if (url.protocol !== 'http:') {
      reject(new KubeletFailure(502, `the runtime streams over ${url.protocol} which is not supported`));
      return;
    }
    const asked = httpRequest({
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port,
      path: `${url.pathname}${url.search}`,
      method: request.method,
      agent: false,
      setHost: false,
      signal,
    });
    for (const [name, values] of headersOf(request.rawHeaders)) asked.setHeader(name, values);
    // A method that may have a body gets chunks otherwise, which the other side would wait for.
    asked.useChunkedEncodingByDefault = false;
    const onGone = (): void => void asked.destroy(new Error('the client has gone'));
    const patience = setTimeout(() => asked.destroy(new Error(`no answer within ${answerMs} ms`)), answerMs);
    const settle = (): void => {
      clearTimeout(patience);
      clientSocket.off('close', onGone);
    };
    clientSocket.on('close', onGone);
    asked.on('response', (response) => {
      settle();
      resolve({ response, socket: undefined });
    });
    asked.on('upgrade', (response, socket, head) => {
      settle();
      socket.on('error', () => {}); // whoever takes it over sees it closed
      clientSocket.write(
        httpHead(response.statusCode ?? 101, response.statusMessage ?? '', response.rawHeaders),
      );
      if (head.length > 0) clientSocket.write(head);
      resolve({ response, socket });
    });
    asked.on('error', (cause) => {
      settle();
      if (signal.aborted) reject(signal.reason as Error);
      else
        reject(
          new KubeletFailure(502, `the runtime's streaming server does not answer: ${cause.message}`, {
            cause,
          }),
        );
    });
    asked.end();
  });
}

/** Name and values of each header, in the order and the spelling of the client. */
function headersOf(rawHeaders: readonly string[]): ReadonlyMap<string, string[]> {
  const headers = new Map<string, string[]>();
  const spelling = new Map<string, string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (OURS_ALONE.has(lower)) continue;
    const spelled = spelling.get(lower) ?? name;
    spelling.set(lower, spelled);
    headers.set(spelled, [...(headers.get(spelled) ?? []), value]);
  }
  return headers;
}

/** A refusal goes back with its status and body; the connection ends with it. */
function passRefusal(
  response: IncomingMessage,
  socket: Duplex,
  halfOpenMs: number,
  signal: AbortSignal,
): Promise<void> {
  const kept: string[] = [];
  for (let at = 0; at + 1 < response.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = response.rawHeaders.slice(at, at + 2);
    if (!OF_THE_CONNECTION.has(name.toLowerCase())) kept.push(name, value);
  }
  socket.write(
    httpHead(response.statusCode ?? 502, response.statusMessage ?? '', [...kept, 'Connection', 'close']),
  );
  return joinStreams(response, socket, halfOpenMs, signal, () => response.pipe(socket));
}

function passBytes(
  { socket: client, head }: UpgradeRequest,
  runtime: Duplex,
  halfOpenMs: number,
  signal: AbortSignal,
): Promise<void> {
  return joinStreams(client, runtime, halfOpenMs, signal, () => {
    if (head.length > 0) runtime.write(head);
    client.pipe(runtime);
    runtime.pipe(client);
  });
}

/**
 * Ties the lives of two ends together: one that fails takes the other with it, and one that has ended lets the other
 * end. Never rejects: there is nobody left to tell.
 * @param halfOpenMs see {@link UpgradeLimits}
 * @param begin makes the bytes flow
 */
export function joinStreams(
  one: Duplex | IncomingMessage,
  other: Duplex,
  halfOpenMs: number,
  signal: AbortSignal,
  begin: () => void,
): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    let halfOpen: NodeJS.Timeout | undefined;
    const destroy = (): void => {
      one.destroy();
      other.destroy();
    };
    const tie = (side: Duplex | IncomingMessage, opposite: Duplex | IncomingMessage): void => {
      side.on('error', destroy);
      side.on('end', () => (halfOpen ??= setTimeout(destroy, halfOpenMs).unref()));
      side.on('data', () => halfOpen?.refresh());
      side.on('close', () => {
        open -= 1;
        if (open === 0) {
          clearTimeout(halfOpen);
          signal.removeEventListener('abort', destroy);
          resolve();
        } else if (side.readableEnded) {
          // What it gave is still on its way. What comes for it is read, since its end is behind it, and dropped.
          setImmediate(() => opposite.resume());
        } else {
          destroy();
        }
      });
    };
    tie(one, other);
    tie(other, one);
    signal.addEventListener('abort', destroy, { once: true });
    if (signal.aborted || one.destroyed || other.destroyed) destroy();
    else begin();
  });
}
