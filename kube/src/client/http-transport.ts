import http from 'node:http';
import https from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Credentials } from './credentials.ts';
import { ClientError } from './client-error.ts';

/** TCP keep-alive probes start after this silence; with Linux defaults of libuv a dead peer shows 10 s later. */
const TCP_KEEP_ALIVE_MS = 30_000;
/** An unused connection is closed before common servers do (kube-apiserver: 90 s), so that none dies under a call. */
const IDLE_MS = 30_000;

/** Settings of {@link HttpTransport}. */
export interface HttpTransportOptions {
  /** `https://host:port/prefix`; plain http is for tests and local sockets. */
  readonly server: URL;
  /** Connections for ordinary calls; more calls wait. */
  readonly maxConnections: number;
  /** Connections for streams. */
  readonly maxStreams: number;
}

/** One request as it goes on the wire. */
export interface HttpExchange {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
  readonly signal: AbortSignal;
  /** Whether this is a long-lived stream, which must not take the place of ordinary calls. */
  readonly streaming: boolean;
}

interface Agents {
  readonly tls: object;
  readonly calls: http.Agent;
  readonly streams: http.Agent;
}

/**
 * HTTP/1.1 with kept connections, over node:https. A change of the TLS material (rotation) makes new connections;
 * the old ones finish what they are at. Why not HTTP/2: docs/adr/0011-api-client.md.
 */
export class HttpTransport {
  readonly #options: HttpTransportOptions;
  readonly #prefix: string;
  #agents: Agents | undefined;
  readonly #retired = new Set<http.Agent>();
  #closed = false;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
    this.#prefix = options.server.pathname.replace(/\/+$/, '');
  }

  /**
   * Sends a request, resolves with the head of the answer.
   * Errors: `ERR_KUBE_CLIENT_CONNECTION`, `ERR_KUBE_CLIENT_CLOSED`; `signal.reason` after an abort, which also
   * destroys an answer that is being read.
   */
  send(exchange: HttpExchange, credentials: Credentials): Promise<http.IncomingMessage> {
    if (this.#closed)
      return Promise.reject(new ClientError('ERR_KUBE_CLIENT_CLOSED', 'the API client is closed'));
    const { server } = this.#options;
    const { method, target, headers, body, signal, streaming } = exchange;
    const agents = this.#agentsFor(credentials);
    return new Promise((resolve, reject) => {
      const request = (server.protocol === 'http:' ? http : https).request({
        host: server.hostname.replace(/^\[|\]$/g, ''),
        port: server.port === '' ? undefined : server.port,
        path: this.#prefix + target,
        method,
        headers: {
          ...headers,
          ...credentials.headers,
          ...(body && { 'content-length': String(body.length) }),
        },
        agent: streaming ? agents.streams : agents.calls,
        signal,
      });
      request.once('response', resolve);
      request.on('error', (error) => reject(this.#explain(error, signal)));
      request.once('socket', (socket) => {
        if (request.reusedSocket) return; // has been told
        socket.setNoDelay(true);
        socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
      });
      request.end(body);
    });
  }

  /** The error that a caller sees for one of the socket's, of the request or of the body. */
  explain(error: unknown, signal: AbortSignal): Error {
    return this.#explain(error, signal);
  }

  /** Destroys all connections. */
  close(): void {
    this.#closed = true;
    for (const agent of this.#retired) agent.destroy();
    this.#agents?.calls.destroy();
    this.#agents?.streams.destroy();
    this.#retired.clear();
  }

  #explain(error: unknown, signal: AbortSignal): Error {
    if (signal.aborted) return signal.reason as Error;
    if (this.#closed)
      return new ClientError('ERR_KUBE_CLIENT_CLOSED', 'the API client was closed', { cause: error });
    const text = error instanceof Error ? error.message : String(error);
    return new ClientError(
      'ERR_KUBE_CLIENT_CONNECTION',
      `connection to ${this.#options.server.host}: ${text}`,
      {
        cause: error,
      },
    );
  }

  #agentsFor(credentials: Credentials): Agents {
    if (this.#agents?.tls === credentials.tls) return this.#agents;
    if (this.#agents !== undefined) this.#retire(this.#agents);
    this.#agents = {
      tls: credentials.tls,
      calls: this.#agent(credentials, this.#options.maxConnections),
      streams: this.#agent(credentials, this.#options.maxStreams),
    };
    return this.#agents;
  }

  #agent(credentials: Credentials, maxSockets: number): http.Agent {
    if (credentials.agent !== undefined) return credentials.agent();
    const options = {
      keepAlive: true,
      maxSockets,
      // What a burst needed stays for the next one: a new connection costs both sides more than ten calls.
      maxFreeSockets: maxSockets,
      timeout: IDLE_MS,
      scheduling: 'lifo' as const,
    };
    if (this.#options.server.protocol === 'http:') return new http.Agent(options);
    // Made once: reading keys and authorities anew costs a millisecond for each connection.
    const secureContext = createSecureContext(credentials.tls);
    const { rejectUnauthorized, servername } = credentials.tls;
    return new https.Agent({
      ...options,
      secureContext,
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
      ...(servername !== undefined && { servername }),
    });
  }

  /** Lets an agent's connections end with what they are doing now. */
  #retire({ calls, streams }: Agents): void {
    for (const agent of [calls, streams]) {
      agent.maxFreeSockets = 0;
      for (const sockets of Object.values(agent.freeSockets)) sockets?.forEach((socket) => socket.destroy());
      this.#retired.add(agent);
    }
    for (const agent of this.#retired) {
      if (Object.keys(agent.sockets).length === 0) this.#retired.delete(agent);
    }
  }
}
