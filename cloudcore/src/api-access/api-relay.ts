import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BareConnections } from '@hawser/kube';
import { answerHeaders, hasBody, requestHeaders } from '@hawser/proto';
import { deferred, type Clock } from '@hawser/seams';
import { joinEnds } from '../kubelet-endpoint/upgrade-relay.ts';
import type { Account } from './account.ts';
import type { AccountTokens } from './account-tokens.ts';
import { AccessRefusal, unanswered, unavailable } from './refusal.ts';

/** Settings of {@link ApiRelay}. */
export interface ApiRelayOptions {
  readonly server: BareConnections;
  /** Until a body has come, milliseconds. */
  readonly bodyMs: number;
  /** From then until the API server begins to answer, milliseconds. */
  readonly headerMs: number;
  /** Of a body, bytes. */
  readonly bodyLimitBytes: number;
  readonly clock: Clock;
}

/** A request that is carried. */
export interface CarriedRequest {
  readonly node: string;
  readonly account: Account;
  readonly tokens: AccountTokens;
  readonly request: IncomingMessage;
  /** Aborts when the edge has left, the session has ended, or the hub stops. */
  readonly signal: AbortSignal;
}

/** What the API server answered. */
interface ApiAnswer {
  readonly response: IncomingMessage;
  readonly upgraded: { readonly socket: Duplex; readonly head: Buffer } | undefined;
}

const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** Of a connection that there was: the request may have been seen. With any other nobody was reached. */
const MAY_BE_SEEN = /^(ECONNRESET|EPIPE|ECONNABORTED|HPE_.*|)$/;

/**
 * Carries requests to the API server with the token of the account that makes them, and the answers back as they come.
 * Nothing is read ahead of an edge that does not read.
 */
export class ApiRelay {
  readonly #options: ApiRelayOptions;

  constructor(options: ApiRelayOptions) {
    this.#options = options;
  }

  /**
   * A request with a plain answer. Resolves when the answer has been sent, or the edge has left.
   * @throws AccessRefusal, `signal.reason`, as long as nothing has been sent
   */
  async plain(carried: CarriedRequest, response: ServerResponse): Promise<void> {
    const { response: from } = await this.#ask(carried, undefined);
    const { statusCode = 502, statusMessage = '', rawHeaders } = from;
    response.writeHead(statusCode, statusMessage, Object.fromEntries(answerHeaders(rawHeaders)));
    // With what is there of the body already, but not later: a watch may say nothing for long.
    setImmediate(() => {
      if (!response.writableEnded) response.flushHeaders();
    });
    try {
      await pipeline(from, response);
    } catch {
      response.destroy(); // the API server was lost in the middle, or the edge has left: the other side hears of it
    }
  }

  /**
   * A request that asks for another protocol. Resolves when the connection has ended.
   * @returns the status that was answered @throws AccessRefusal, `signal.reason`, as long as nothing has been sent
   */
  async upgrade(
    carried: CarriedRequest,
    protocol: string,
    client: Duplex,
    clientHead: Buffer,
  ): Promise<number> {
    const { response: from, upgraded } = await this.#ask(carried, protocol);
    const { statusCode = 502, statusMessage = '', rawHeaders } = from;
    const headers = answerHeaders(rawHeaders);
    if (upgraded === undefined) {
      client.write(head(statusCode, statusMessage, headers, ['Connection: close']));
      await pipeline(from, client).catch(() => client.destroy());
      return statusCode;
    }
    const { socket } = upgraded;
    const giveUp = (): void => void socket.destroy();
    carried.signal.addEventListener('abort', giveUp, { once: true });
    try {
      if (carried.signal.aborted) giveUp();
      const { upgrade = protocol } = from.headers;
      client.write(head(statusCode, statusMessage, headers, ['Connection: Upgrade', `Upgrade: ${upgrade}`]));
      await joinEnds({ client, clientHead, edge: upgraded });
    } finally {
      carried.signal.removeEventListener('abort', giveUp);
    }
    return statusCode;
  }

  /** Asks with a token, and with another one where the API server does not take it and nothing was said beside it. */
  async #ask(carried: CarriedRequest, protocol: string | undefined): Promise<ApiAnswer> {
    const { tokens, account, request } = carried;
    for (let isFirst = true; ; isFirst = false) {
      const token = await tokens.get(account);
      carried.signal.throwIfAborted();
      const answer = await this.#exchange(carried, token, protocol);
      if (answer.response.statusCode !== 401) return answer;
      answer.response.resume();
      tokens.refused(account, token);
      if (isFirst && !hasBody(request)) continue;
      const text = `the API server does not take the token of ${account.namespace}/${account.name}; another one is asked for`;
      throw unavailable('token', text);
    }
  }

  async #exchange(carried: CarriedRequest, token: string, protocol: string | undefined): Promise<ApiAnswer> {
    try {
      return await this.#attempt(carried, token, protocol);
    } catch (error) {
      carried.signal.throwIfAborted();
      if (error instanceof AccessRefusal) throw error;
      if (!(error instanceof LostConnection) || !error.reused || !isRepeatable(carried.request))
        throw explained(carried, error);
    }
    // The API server has closed the connection while it was idle: nobody has seen the request.
    return this.#attempt(carried, token, protocol).catch((error: unknown) => {
      carried.signal.throwIfAborted();
      throw error instanceof AccessRefusal ? error : explained(carried, error);
    });
  }

  async #attempt(
    { request, signal, node }: CarriedRequest,
    token: string,
    protocol: string | undefined,
  ): Promise<ApiAnswer> {
    const { server, bodyMs, headerMs, clock } = this.#options;
    const { method = 'GET', url = '/', rawHeaders } = request;
    const outgoing = await server.request({ method, path: url, signal });
    const answer = deferred<ApiAnswer>();
    answer.promise.catch(() => {}); // awaited below, after the body
    for (const [name, values] of requestHeaders(rawHeaders)) outgoing.setHeader(name, values);
    outgoing.setHeader('Authorization', `Bearer ${token}`);
    if (protocol !== undefined) outgoing.setHeader('Connection', 'Upgrade').setHeader('Upgrade', protocol);
    outgoing.on('response', (response) => answer.resolve({ response, upgraded: undefined }));
    outgoing.on('upgrade', (response, socket, head) => {
      socket.on('error', () => {}); // whoever uses it sees it closed
      if (protocol === undefined) {
        socket.destroy();
        answer.reject(new Error('the API server speaks another protocol than it was asked to'));
      } else answer.resolve({ response, upgraded: { socket, head } });
    });
    outgoing.on('error', (cause) => {
      answer.reject(
        cause instanceof AccessRefusal ? cause : new LostConnection(cause, outgoing.reusedSocket),
      );
    });
    const late = (): void => {
      answer.reject(
        unanswered('timeout', `node ${node}: the API server did not answer within ${headerMs / 1000} s`),
      );
      outgoing.destroy();
    };
    let timer = clock.setTimer(bodyMs, late);
    try {
      const body = this.#sendBody(request, outgoing, answer.reject);
      // Who answers before it has all of the body has said enough.
      await Promise.race([body, answer.promise]);
      timer.cancel();
      timer = clock.setTimer(headerMs, late);
      return await answer.promise;
    } finally {
      timer.cancel();
    }
  }

  async #sendBody(
    request: IncomingMessage,
    outgoing: ClientRequest,
    onTooLarge: (error: Error) => void,
  ): Promise<void> {
    if (!hasBody(request)) {
      outgoing.end();
      return;
    }
    const length = request.headers['content-length'];
    // Without either, Node frames no body of a GET or DELETE: its bytes would be taken for the next request.
    if (length === undefined) outgoing.setHeader('Transfer-Encoding', 'chunked');
    else outgoing.setHeader('Content-Length', length);
    const body = request.pipe(bounded(this.#options.bodyLimitBytes)); // not in the pipeline, which would end its stream
    body.once('error', onTooLarge); // before the pipeline hears of it
    // Any other failure is one of the connection, which tells it. An edge that leaves aborts.
    await pipeline(body, outgoing).catch(() => request.unpipe(body).resume());
  }
}

/** 413. */
export function tooLarge(limitBytes: number): AccessRefusal {
  const text = `Request entity too large: limit is ${limitBytes}`; // as kube-apiserver has it
  return new AccessRefusal(413, 'too-large', text, { statusReason: 'RequestEntityTooLarge' });
}

/** The connection failed before there was an answer. */
class LostConnection extends Error {
  override readonly name = 'LostConnection';
  readonly reused: boolean;
  readonly code: string;

  constructor(cause: NodeJS.ErrnoException, reused: boolean) {
    super(cause.message, { cause });
    this.code = cause.code ?? '';
    this.reused = reused;
  }
}

function bounded(limitBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length;
      if (bytes > limitBytes) callback(tooLarge(limitBytes));
      else callback(null, chunk);
    },
  });
}

function isRepeatable(request: IncomingMessage): boolean {
  return REPEATABLE.has(request.method ?? '') && !hasBody(request);
}

function explained({ node, request }: CarriedRequest, cause: unknown): AccessRefusal {
  const text = `node ${node}: the API server: ${cause instanceof Error ? cause.message : String(cause)}`;
  const isOpen = cause instanceof LostConnection && MAY_BE_SEEN.test(cause.code) && !isRepeatable(request);
  if (!isOpen) return unavailable('api-down', text, { cause });
  return unanswered('api-down', `${text}. Whether the request was carried out is not known`, { cause });
}

/** The head of an answer on a connection that is not HTTP any more, or is about to end. */
function head(
  status: number,
  reason: string,
  headers: ReadonlyMap<string, readonly string[]>,
  more: readonly string[],
): string {
  const lines = [...headers].flatMap(([name, values]) => values.map((value) => `${name}: ${value}`));
  return `${[`HTTP/1.1 ${status} ${reason}`, ...lines, ...more].join('\r\n')}\r\n\r\n`;
}
