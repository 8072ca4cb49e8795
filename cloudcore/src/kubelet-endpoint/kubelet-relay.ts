import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StreamDuplex } from '@hawser/proto';
import type { Clock } from '@hawser/seams';
import { askEdge, type EdgeAnswer } from './edge-http.ts';
import { isLost, noSession, openEdgeStream } from './edge-stream.ts';
import type { KubeletMetrics } from './kubelet-metrics.ts';
import type { KubeletRequest } from './kubelet-request.ts';
import { relayLog } from './log-relay.ts';
import type { NodeSessions } from './node-sessions.ts';
import { joinCommand, joinEnds, rawHead, refuseUpgrade } from './upgrade-relay.ts';

/** Settings of {@link KubeletRelay}. */
export interface KubeletRelayOptions {
  readonly sessions: NodeSessions;
  readonly metrics: KubeletMetrics;
  /** Until an edge begins to answer, milliseconds. */
  readonly headerMs: number;
  /** Of a shell or a forwarded port without a byte, milliseconds. */
  readonly idleMs: number;
  /** How long a log waits for the node's next session, milliseconds. */
  readonly logPatienceMs: number;
  readonly clock: Clock;
}

/** A request that may be passed on. */
export interface PassedRequest {
  readonly node: string;
  readonly asked: KubeletRequest;
  readonly headers: IncomingMessage['headersDistinct'];
  /** Aborts when the client has left. */
  readonly left: AbortSignal;
  /** Aborts when the client has left, or the hub stops. */
  readonly signal: AbortSignal;
}

/** What of a request's head goes to an edge; the rest is between the client and the hub. */
const PLAIN_HEADERS = ['accept', 'accept-encoding', 'user-agent'];
const LOG_HEADERS = ['accept', 'user-agent'];
const UPGRADE_HEADERS = [
  ...['connection', 'upgrade', 'user-agent', 'origin', 'x-stream-protocol-version'],
  ...['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-protocol', 'sec-websocket-extensions'],
];
/** What of an answer's head goes to the client. */
const ANSWER_HEADERS = ['content-type', 'content-encoding', 'content-length', 'cache-control'];
/**
 * Of an upgraded connection without a byte, once its client has said its last word, milliseconds. Most have left then
 * (streams of SPDY and WebSockets end by messages): each would keep a place of the node's.
 */
const HALF_CLOSED_MS = 5000;
/** Of an answer in place of an upgrade. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** Passes requests on to the kubelet API of nodes, over their tunnels, and the answers back. */
export class KubeletRelay {
  readonly #options: KubeletRelayOptions;

  constructor(options: KubeletRelayOptions) {
    this.#options = options;
  }

  /**
   * A request with a plain answer. Resolves when the answer has been sent, or the client has left.
   * @throws KubeletRefusal, `signal.reason`, as long as nothing has been sent
   */
  async plain(passed: PassedRequest, response: ServerResponse): Promise<void> {
    const { sessions, metrics, logPatienceMs, clock } = this.#options;
    const { node, asked, left, signal } = passed;
    const passOn = (answer: { response: IncomingMessage; stream: StreamDuplex }): Promise<void> =>
      this.#passOn(answer, response);
    if (asked.action !== 'logs') {
      await passOn(await this.#ask(passed, asked.query, PLAIN_HEADERS));
      return;
    }
    await relayLog({
      ...{ node, response, sessions, left, signal, clock, passOn },
      query: asked.query,
      ask: (query) => this.#ask(passed, query, LOG_HEADERS),
      patienceMs: logPatienceMs,
      onResume: (result) => metrics.resumes.inc({ result }),
    });
  }

  /**
   * A request that asks for another protocol. Resolves when the connection has ended.
   * @returns the status that was answered @throws KubeletRefusal, `signal.reason`, as long as nothing has been sent
   */
  async upgrade(passed: PassedRequest, client: Duplex, clientHead: Buffer): Promise<number> {
    const { response, upgraded, stream } = await this.#ask(passed, passed.asked.query, UPGRADE_HEADERS);
    const { signal } = passed;
    const giveUp = (): void => void stream.destroy();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      if (upgraded === undefined) {
        const status =
          response.statusCode === undefined || response.statusCode < 300 ? 502 : response.statusCode;
        refuseUpgrade(client, status, (await wholeBody(response)).toString().trim());
        stream.destroy();
        return status;
      }
      this.#endWhenIdle(stream);
      // API servers close both directions at once, which looks like this; who goes on to listen gets what still comes.
      client.once('end', () => stream.setTimeout(HALF_CLOSED_MS));
      client.write(rawHead(response));
      const ends = { client, clientHead, edge: upgraded };
      if (hasSpdyStatus(passed, response)) {
        await joinCommand(ends, (error) => whyEnded(passed, error));
      } else {
        await joinEnds(ends);
      }
      return 101;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #ask(
    { node, asked, headers, signal }: PassedRequest,
    query: URLSearchParams,
    names: readonly string[],
  ): Promise<EdgeAnswer & { readonly stream: StreamDuplex }> {
    const { sessions, metrics, headerMs, clock } = this.#options;
    const session = sessions.get(node);
    if (session === undefined) throw noSession(node);
    const onBytes = (direction: string, count: number): void => metrics.bytes.inc({ direction }, count);
    const stream = await openEdgeStream(session, { signal, clock, onBytes });
    const text = query.toString();
    try {
      const answer = await askEdge(stream, {
        ...{ node, headerMs, signal, clock, method: asked.method },
        path: text === '' ? asked.path : `${asked.path}?${text}`,
        headers: chosen(headers, names),
      });
      return { ...answer, stream };
    } catch (error) {
      signal.throwIfAborted();
      if (isLost(await stream.stream.closed)) throw noSession(node, { cause: error });
      throw error;
    }
  }

  async #passOn(
    { response: from, stream }: { response: IncomingMessage; stream: StreamDuplex },
    response: ServerResponse,
  ): Promise<void> {
    this.#endWhenIdle(stream);
    const headers = ANSWER_HEADERS.flatMap((name) => {
      const value = from.headers[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    response.writeHead(from.statusCode ?? 502, Object.fromEntries(headers));
    try {
      await pipeline(from, response);
    } catch {
      response.destroy(); // the edge was lost in the middle, or the client has left: the other side hears of it
    } finally {
      stream.destroy();
    }
  }

  #endWhenIdle(stream: StreamDuplex): void {
    stream.setTimeout(
      this.#options.idleMs,
      () => void stream.destroy(new Error('nothing was said for too long')),
    );
  }
}

/**
 * Whether the end of the connection alone would say that a command has succeeded. Source: client-go,
 * remotecommand/v4.go.
 */
function hasSpdyStatus({ asked }: PassedRequest, { headers }: IncomingMessage): boolean {
  return (
    (asked.action === 'exec' || asked.action === 'attach') &&
    headers.upgrade?.toLowerCase() === 'spdy/3.1' &&
    /^v[45]\.channel\.k8s\.io$/.test(String(headers['x-stream-protocol-version']))
  );
}

/** Why a command has ended without a status. */
function whyEnded({ node, signal }: PassedRequest, error: unknown): string {
  const reason: unknown = signal.reason;
  if (signal.aborted) return reason instanceof Error ? reason.message : String(reason);
  const text = isLost(error)
    ? `the connection to node ${node} was lost`
    : `node ${node} has ended the connection`;
  return `${text} before the command had ended: whether it goes on there, and how it ends, is not known`;
}

function chosen(
  headers: IncomingMessage['headersDistinct'],
  names: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const found = names.flatMap((name) => {
    const values = headers[name];
    return values === undefined ? [] : [[name, values] as const];
  });
  return Object.fromEntries(found);
}

/** The body of a refusal, cut where it is no text for people any more. */
async function wholeBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= MAX_REFUSAL_BYTES) break;
    }
  } catch {
    return Buffer.concat(chunks); // cut off: what has come is better than nothing
  }
  return Buffer.concat(chunks).subarray(0, MAX_REFUSAL_BYTES);
}
