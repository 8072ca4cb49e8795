import http from 'node:http';
import https from 'node:https';
import { createSecureContext } from 'node:tls';
import type { CredentialSource, TlsMaterial } from './credentials.ts';

/** Settings of {@link BareConnections}. */
export interface BareConnectionsOptions {
  /** `https://host:port`, with a path prefix where a proxy needs one. */
  readonly server: string | URL;
  /** Where the authorities of the server come from. What else there is in it, of a client, is not used. */
  readonly credentials: CredentialSource;
  /** Connections at a time; more requests wait. */
  readonly maxConnections: number;
}

/** An unused connection is closed before common servers do (kube-apiserver: 90 s). */
const IDLE_MS = 30_000;

/**
 * Connections to an API server that say nothing of who uses them: no client certificate is shown, no header is added.
 * For requests that bring a token of their own. Connections are kept, and used by whoever comes next; a change of the
 * authorities makes new ones.
 */
export class BareConnections {
  /** Of the server. */
  readonly url: URL;
  readonly #options: BareConnectionsOptions;
  #current: { readonly tls: TlsMaterial; readonly agent: http.Agent } | undefined;
  readonly #retired = new Set<http.Agent>();

  constructor(options: BareConnectionsOptions) {
    this.#options = options;
    this.url = new URL(options.server);
  }

  /**
   * Begins a request; the caller writes its body, and ends it.
   * @param order `path`: with its query, escaped
   * @throws what `credentials` throw
   */
  async request(order: {
    readonly method: string;
    readonly path: string;
    readonly signal: AbortSignal;
  }): Promise<http.ClientRequest> {
    const { path, ...rest } = order;
    const agent = await this.#agent();
    const { hostname, port, pathname, protocol } = this.url;
    return (protocol === 'http:' ? http : https).request({
      ...rest,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? undefined : port,
      path: pathname.replace(/\/+$/, '') + path,
      agent,
    });
  }

  /** Destroys all connections. Idempotent. */
  close(): void {
    this.#current?.agent.destroy();
    for (const agent of this.#retired) agent.destroy();
    this.#retired.clear();
  }

  async #agent(): Promise<http.Agent> {
    const { tls, agent: proxied } = await this.#options.credentials.get();
    if (this.#current?.tls === tls) return this.#current.agent;
    if (this.#current !== undefined) this.#retire(this.#current.agent);
    const agent = proxied?.() ?? this.#made(tls);
    this.#current = { tls, agent };
    return agent;
  }

  #made({ ca, servername, rejectUnauthorized }: TlsMaterial): http.Agent {
    const { maxConnections } = this.#options;
    const options = {
      ...{ keepAlive: true, maxSockets: maxConnections, timeout: IDLE_MS },
      scheduling: 'lifo' as const,
    };
    if (this.url.protocol === 'http:') return new http.Agent(options);
    return new https.Agent({
      ...options,
      secureContext: createSecureContext(ca === undefined ? {} : { ca }),
      ...(servername !== undefined && { servername }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    });
  }

  /** Lets connections end with what they are doing now. */
  #retire(agent: http.Agent): void {
    agent.maxFreeSockets = 0;
    for (const sockets of Object.values(agent.freeSockets)) sockets?.forEach((socket) => socket.destroy());
    for (const old of this.#retired) if (Object.keys(old.sockets).length === 0) this.#retired.delete(old);
    this.#retired.add(agent);
  }
}
