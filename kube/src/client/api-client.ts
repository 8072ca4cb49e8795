import type { ServerFacts } from './server-facts.ts';

/** HTTP methods of the API. */
export type ApiMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Values left undefined are not sent. */
export type ApiQuery = Readonly<Record<string, string | number | boolean | undefined>>;

/** One call of the API. */
export interface ApiCall {
  readonly method: ApiMethod;
  /** Path with its segments escaped, without the query: see `resourcePath`. */
  readonly path: string;
  readonly query?: ApiQuery;
  /** More headers, in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Type of the body. Default `application/json`; patches name their own. */
  readonly contentType?: string;
  /** Default `application/json`. */
  readonly accept?: string;
  /** Time for each attempt, milliseconds, until the last byte of the answer. Default: the client's. */
  readonly timeoutMs?: number;
  /** Attempts after the first. Default: the client's; 0 for callers with a back-off of their own. */
  readonly retries?: number;
  /** Largest answer, in bytes. Default: the client's. */
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}

/** A call whose answer is read piece by piece, without an end in sight (watch). `timeoutMs` ends with the headers. */
export type ApiStreamCall = Omit<ApiCall, 'body' | 'contentType' | 'limitBytes' | 'retries'>;

/** The body of an answer that is still arriving. Iterate once; leaving the loop closes it. */
export interface ApiStream extends AsyncIterable<Buffer> {
  /** Gives the connection up. Idempotent. */
  close(): void;
}

/**
 * The way to an API server.
 *
 * Errors of `request` and `stream`: `StatusError` for every refusal of the server (an answer that is no Status is
 * turned into one), `ClientError` for a server that cannot be reached or answers nonsense; an abort rethrows
 * `signal.reason`.
 */
export interface ApiClient {
  /** What is known about the server. */
  readonly server: ServerFacts;
  /**
   * Sends a call and decodes the answer's JSON; an answer that is not JSON (healthz, logs) comes as a string.
   * Retried within bounds: after a 401 once with fresh credentials; at 429 with Retry-After always, since nothing
   * was done; at 5xx with Retry-After and broken connections if the method is idempotent (RFC 9110, 9.2.2: GET,
   * PUT, DELETE). A PUT or DELETE whose first answer got lost may so end in Conflict or NotFound.
   */
  request(call: ApiCall): Promise<unknown>;
  /** Sends a call and resolves when the server has accepted it; never retried, except once after a 401. */
  stream(call: ApiStreamCall): Promise<ApiStream>;
  /** Closes all connections; running calls fail with `ERR_KUBE_CLIENT_CLOSED`. Idempotent. */
  close(): void;
}
