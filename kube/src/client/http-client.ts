import type { IncomingMessage } from 'node:http';
import { Backoff, delay, systemClock, systemRandom, type Clock, type Random } from '@hawser/seams';
import { StatusError } from '../status/status.ts';
import type { ApiCall, ApiClient, ApiQuery, ApiStream, ApiStreamCall } from './api-client.ts';
import { CallSignal } from './call-signal.ts';
import { ClientError } from './client-error.ts';
import { staticCredentials, type CredentialSource } from './credentials.ts';
import { HttpTransport } from './http-transport.ts';
import { errorFromResponse } from './response-status.ts';
import { ServerFacts } from './server-facts.ts';

/** Settings of {@link HttpApiClient}. */
export interface HttpApiClientOptions {
  /** `https://host:port`, with a path prefix where a proxy needs one. */
  readonly server: string | URL;
  /** Default: none (anonymous). */
  readonly credentials?: CredentialSource;
  /** Names this program in the server's audit log and in managedFields. Default `hawser`. */
  readonly userAgent?: string;
  /** Time for each attempt of a call, and for a stream's headers, milliseconds. Default 30000. */
  readonly timeoutMs?: number;
  /** Attempts after the first. Default 4. */
  readonly retries?: number;
  /** Largest answer in bytes. Default 268435456 (256 MiB: half of what a string can hold). */
  readonly limitBytes?: number;
  /** A Retry-After above this, in seconds, is not waited for: the error goes to the caller. Default 30. */
  readonly maxRetryAfterSeconds?: number;
  /** Connections for ordinary calls; further calls wait. Default 32. */
  readonly maxConnections?: number;
  /** Streams at a time; further ones wait and run into their time-out. Default 256. */
  readonly maxStreams?: number;
  /** Gets the text of `Warning` headers (deprecated versions, unknown fields). Default: dropped. */
  readonly onWarning?: (text: string) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

const ERROR_BODY_LIMIT_BYTES = 1 << 20;
const IDEMPOTENT = new Set(['GET', 'PUT', 'DELETE']);

/**
 * The light client: node:https and nothing else, which the edge can afford. Makes no connection before the first
 * call. For kubeconfig files, exec plug-ins and in-cluster settings see `@hawser/kube/kubeconfig`.
 */
export class HttpApiClient implements ApiClient {
  readonly server = new ServerFacts();
  readonly #credentials: CredentialSource;
  readonly #transport: HttpTransport;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #userAgent: string;
  readonly #timeoutMs: number;
  readonly #retries: number;
  readonly #limitBytes: number;
  readonly #maxRetryAfterSeconds: number;
  readonly #onWarning: ((text: string) => void) | undefined;

  constructor(options: HttpApiClientOptions) {
    this.#credentials = options.credentials ?? staticCredentials();
    this.#transport = new HttpTransport({
      server: new URL(options.server),
      maxConnections: options.maxConnections ?? 32,
      maxStreams: options.maxStreams ?? 256,
    });
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#userAgent = options.userAgent ?? 'hawser';
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#retries = options.retries ?? 4;
    this.#limitBytes = options.limitBytes ?? 256 * 2 ** 20;
    this.#maxRetryAfterSeconds = options.maxRetryAfterSeconds ?? 30;
    this.#onWarning = options.onWarning;
  }

  async request(call: ApiCall): Promise<unknown> {
    const backoff = new Backoff({ baseMs: 100, capMs: 5000, random: this.#random });
    const retries = call.retries ?? this.#retries;
    while (true) {
      try {
        return await this.#withFreshCredentials(() => this.#attempt(call));
      } catch (error) {
        if (call.signal?.aborted === true || backoff.attempts >= retries) throw error;
        const waitMs = this.#retryDelayMs(error, call, backoff);
        if (waitMs === undefined) throw error;
        await delay(waitMs, { clock: this.#clock, ...(call.signal && { signal: call.signal }) });
      }
    }
  }

  stream(call: ApiStreamCall): Promise<ApiStream> {
    return this.#withFreshCredentials(() => this.#openStream(call));
  }

  close(): void {
    this.#transport.close();
  }

  /** Tokens rotate: after a 401 the credentials are read again, once. */
  async #withFreshCredentials<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StatusError) || error.status.code !== 401) throw error;
      this.#credentials.invalidate();
      return attempt();
    }
  }

  async #attempt(call: ApiCall): Promise<unknown> {
    const callSignal = new CallSignal(this.#clock, call.signal);
    try {
      const response = await this.#send(call, callSignal, false);
      const limitBytes = call.limitBytes ?? this.#limitBytes;
      const body = await this.#readBody(response, limitBytes, callSignal.signal);
      return decodeBody(body, response.headers['content-type'], describe(call));
    } finally {
      callSignal.release();
    }
  }

  async #openStream(call: ApiStreamCall): Promise<ApiStream> {
    const callSignal = new CallSignal(this.#clock, call.signal);
    try {
      const response = await this.#send(call, callSignal, true);
      callSignal.disarm();
      return this.#streamOf(response, callSignal);
    } catch (error) {
      callSignal.release();
      throw error;
    }
  }

  /** Resolves with an answer of 2xx; the body is still to be read. */
  async #send(call: ApiCall, callSignal: CallSignal, streaming: boolean): Promise<IncomingMessage> {
    const { signal } = callSignal;
    const timeoutMs = call.timeoutMs ?? this.#timeoutMs;
    const late = `${describe(call)}: no answer within ${timeoutMs} ms`;
    callSignal.arm(timeoutMs, () => new ClientError('ERR_KUBE_CLIENT_TIMEOUT', late));
    signal.throwIfAborted();
    const credentials = await this.#credentials.get();
    signal.throwIfAborted();
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const headers = {
      accept: call.accept ?? 'application/json',
      'user-agent': this.#userAgent,
      ...(body && { 'content-type': call.contentType ?? 'application/json' }),
      ...call.headers,
    };
    const target = call.path + queryString(call.query);
    const exchange = { method: call.method, target, headers, body, signal, streaming };
    const response = await this.#transport.send(exchange, credentials);
    this.#passWarnings(response);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    const text = await this.#readBody(response, ERROR_BODY_LIMIT_BYTES, signal);
    throw errorFromResponse(status, response.headers['retry-after'], text.toString('utf8'), describe(call));
  }

  async #readBody(response: IncomingMessage, limitBytes: number, signal: AbortSignal): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > limitBytes) break; // leaving the loop destroys the connection
        chunks.push(chunk);
      }
    } catch (error) {
      throw this.#transport.explain(error, signal);
    }
    if (size > limitBytes) {
      throw new ClientError(
        'ERR_KUBE_CLIENT_TOO_LARGE',
        `an answer of more than ${limitBytes} bytes was refused`,
      );
    }
    return Buffer.concat(chunks, size);
  }

  #streamOf(response: IncomingMessage, callSignal: CallSignal): ApiStream {
    const { signal } = callSignal;
    const explain = (error: unknown): Error => this.#transport.explain(error, signal);
    response.once('close', () => callSignal.release());
    // An abort between two reads must not become an uncaught error; the iterator below still reports it.
    response.on('error', () => {});
    return {
      close: () => response.destroy(),
      async *[Symbol.asyncIterator]() {
        try {
          for await (const chunk of response as AsyncIterable<Buffer>) yield chunk;
        } catch (error) {
          throw explain(error);
        }
      },
    };
  }

  #passWarnings(response: IncomingMessage): void {
    const warning = response.headers.warning;
    if (this.#onWarning === undefined || warning === undefined) return;
    // RFC 9111, 5.5: 299 agent "text"
    for (const match of warning.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
      this.#onWarning((match[1] ?? '').replace(/\\(.)/g, '$1'));
    }
  }

  #retryDelayMs(error: unknown, call: ApiCall, backoff: Backoff): number | undefined {
    if (error instanceof ClientError) {
      const retriable = error.code === 'ERR_KUBE_CLIENT_CONNECTION' && IDEMPOTENT.has(call.method);
      return retriable ? backoff.nextMs() : undefined;
    }
    if (!(error instanceof StatusError)) return undefined;
    const { code, details } = error.status;
    const seconds = details?.retryAfterSeconds;
    if (seconds === undefined || seconds > this.#maxRetryAfterSeconds) return undefined;
    const untouched = code === 429 || (code >= 500 && IDEMPOTENT.has(call.method));
    return untouched ? seconds * 1000 + backoff.nextMs() : undefined;
  }
}

function describe(call: Pick<ApiCall, 'method' | 'path'>): string {
  return `${call.method} ${call.path}`;
}

function queryString(query: ApiQuery = {}): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

function decodeBody(body: Buffer, contentType: string | undefined, about: string): unknown {
  const text = body.toString('utf8');
  if (!/^application\/([\w.-]+\+)?json\b/.test(contentType ?? '')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ClientError(
      'ERR_KUBE_CLIENT_BAD_RESPONSE',
      `${about}: the answer is not the JSON it says it is`,
      {
        cause,
      },
    );
  }
}
