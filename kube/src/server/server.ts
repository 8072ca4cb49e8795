import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { delay, systemClock, systemRandom, type Clock, type Random } from '@hawser/seams';
import type { Registry as MetricsRegistry } from 'prom-client';
import type { ObjectStore } from '../store/store.ts';
import type { AdmissionPlugin } from './admission/admission.ts';
import type { Authenticator, TokenAuthenticator } from './auth/authenticator.ts';
import type { Authorizer } from './auth/authorizer.ts';
import { ApiHandler, type AnsweredRequest, type PathHandler } from './http/api-handler.ts';
import { Actions, type Action } from './http/actions.ts';
import { builtInActions } from './actions/index.ts';
import type { RuleLister } from './actions/reviews.ts';
import type { TokenIssuer } from './actions/token-request.ts';
import type { ConnectHandler } from './http/connect.ts';
import type { RequestDelegate } from './http/delegate.ts';
import { DiscoveryHandler, type VersionInfo } from './http/discovery.ts';
import { HealthHandler, type HealthCheck } from './http/health.ts';
import type { RequestInfo } from './http/request-info.ts';
import { ResourceHandler } from './http/resource-handler.ts';
import { WatchHandler } from './http/watch-handler.ts';
import { ServerMetrics } from './metrics.ts';
import { OpenApiHandler } from './openapi/openapi-handler.ts';
import type { Registry } from './registry/registry.ts';
import { standardPatcher } from './rest/standard-patcher.ts';
import { DEFAULT_VERSION } from './version.ts';

/** Certificate and key of the server, in PEM. */
export interface TlsSettings {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** CAs of client certificates; absent: certificates are not asked for. */
  readonly clientCa?: string | Buffer | readonly (string | Buffer)[];
}

/** Bounds of a server. */
export interface ServerLimits {
  /** Bytes of a request's body. Default 3 MiB, as kube-apiserver. */
  readonly bodyBytes: number;
  /** Bytes of a request's line and headers. Default 64 KiB. */
  readonly headerBytes: number;
  /** Watches at one time. Default 5000. */
  readonly maxWatches: number;
  /** Events that wait for one slow watcher. Default 1000. */
  readonly watchEvents: number;
  /** How long a watcher may leave our writes unread, in ms. Default 30 s. */
  readonly stalledMs: number;
  /** Between bookmarks of a watch that wants them, in ms. Default 60 s. */
  readonly bookmarkMs: number;
  /** Watches without timeoutSeconds last between this and twice this, in ms. Default 30 min. */
  readonly watchTimeoutMs: number;
  /** How long stopping waits for answers under way, in ms. Default 5 s. */
  readonly stopMs: number;
}

/** Settings of {@link KubeServer}. */
export interface KubeServerOptions {
  readonly store: ObjectStore;
  readonly registry: Registry;
  /** Absent: plain HTTP, for tests and sockets that only one user can reach. */
  readonly tls?: TlsSettings;
  readonly authenticators?: readonly Authenticator[];
  readonly tokens?: TokenAuthenticator;
  /** Whether requests without credentials pass as system:anonymous. Default true. */
  readonly anonymous?: boolean;
  readonly authorizer: Authorizer;
  /** In this order. Default none. */
  readonly plugins?: readonly AdmissionPlugin[];
  /** Further or other actions, by name, as definitions call them. */
  readonly actions?: ReadonlyMap<string, Action>;
  /** For serviceaccounts/token; absent: no tokens are issued. */
  readonly tokenIssuer?: TokenIssuer;
  /** For selfsubjectrulesreviews. */
  readonly rules?: RuleLister;
  readonly connect?: ConnectHandler;
  /** Which store a request reads (get, list, watch), where it is not always `store`. */
  readonly storeOf?: (request: IncomingMessage, info: RequestInfo) => ObjectStore;
  /** Is offered each request before it is authorized. Default: none. */
  readonly delegate?: RequestDelegate;
  readonly healthChecks?: readonly HealthCheck[];
  /** For further paths, asked before the server's own. */
  readonly paths?: readonly PathHandler[];
  readonly version?: VersionInfo;
  readonly metrics?: MetricsRegistry;
  readonly limits?: Partial<ServerLimits>;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Told of each answer when it is over; not of connections that changed the protocol. */
  readonly onAnswered?: (answered: AnsweredRequest) => void;
  /** Told of errors that no client provoked. */
  readonly onError?: (error: Error, request: string) => void;
}

/** Where to listen. Default: 127.0.0.1, any free port. */
export interface ListenOptions {
  readonly host?: string;
  readonly port?: number;
  /** A Unix socket instead. */
  readonly path?: string;
}

const DEFAULT_LIMITS: ServerLimits = {
  bodyBytes: 3 * 1024 * 1024,
  headerBytes: 64 * 1024,
  maxWatches: 5000,
  watchEvents: 1000,
  stalledMs: 30_000,
  bookmarkMs: 60_000,
  watchTimeoutMs: 30 * 60_000,
  stopMs: 5000,
};

/** Idle connections are kept longer than clients keep theirs, so that it is the client who closes. */
const KEEP_ALIVE_MS = 120_000;
const HEADERS_TIMEOUT_MS = 30_000;
const BODY_TIMEOUT_MS = 120_000;

/** A Kubernetes API server over an {@link ObjectStore}, which stays the caller's. */
export class KubeServer {
  readonly #options: KubeServerOptions;
  readonly #limits: ServerLimits;
  readonly #clock: Clock;
  /** Those whose protocol was changed. */
  readonly #sockets = new Set<Duplex>();
  /** Those that were handed in: a server that does not listen does not wait for them. */
  readonly #accepted = new Set<Socket>();
  #server: Server | undefined;
  #watches: WatchHandler | undefined;
  #handler: ApiHandler | undefined;
  #address: AddressInfo | string | null = null;
  #stopped: Promise<void> | undefined;

  constructor(options: KubeServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#clock = options.clock ?? systemClock;
  }

  /** `https://127.0.0.1:6443`. @throws TypeError before {@link start}. */
  get url(): string {
    const scheme = this.#options.tls === undefined ? 'http' : 'https';
    return `${scheme}://${this.#hostAndPort()}`;
  }

  /** The port listened on. @throws TypeError before {@link start}, and on a Unix socket. */
  get port(): number {
    if (this.#address === null || typeof this.#address === 'string')
      throw new TypeError('the server has no port');
    return this.#address.port;
  }

  /** Watches that run. */
  get watchCount(): number {
    return this.#watches?.count ?? 0;
  }

  /** Begins to listen; resolves when requests are answered. A second call does nothing. */
  async start(listen: ListenOptions = {}): Promise<void> {
    if (this.#server !== undefined) return;
    const server = this.#open();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const { host = '127.0.0.1', port = 0, path } = listen;
      server.listen(path === undefined ? { host, port } : { path }, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    this.#address = server.address();
  }

  /**
   * Begins to answer without listening: connections are handed in with {@link accept}. A second call does nothing.
   * @param address `host:port` under which clients reach it, as discovery tells them
   */
  open(address: string): void {
    if (this.#server !== undefined) return;
    // Node.js begins to look after its connections (timeouts of headers, idle ones) with this event.
    this.#open().emit('listening');
    this.#address = address;
  }

  /** Serves a connection that somebody else has accepted; for a server with TLS one whose handshake is still to come. */
  accept(socket: Socket): void {
    if (this.#server === undefined || this.#stopped !== undefined) {
      socket.destroy();
      return;
    }
    this.#accepted.add(socket);
    socket.once('close', () => this.#accepted.delete(socket));
    this.#server.emit('connection', socket);
  }

  #open(): Server {
    const handler = this.#createHandler();
    this.#handler = handler;
    const server = this.#createServer();
    this.#server = server;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.headersTimeout = HEADERS_TIMEOUT_MS;
    server.requestTimeout = BODY_TIMEOUT_MS;
    server.on('request', (request, response) => void handler.handle(request, response));
    server.on('upgrade', (request, socket, head) => void this.#upgrade(handler, request, socket, head));
    server.on('clientError', (_error, socket: Socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    });
    return server;
  }

  /** Ends watches, lets answers under way finish, closes all connections. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Takes a renewed certificate for new connections. */
  renewCertificate({ cert, key }: { cert: string | Buffer; key: string | Buffer }): void {
    const server = this.#server;
    if (server instanceof HttpsServer) server.setSecureContext({ ...this.#tlsOptions(), cert, key });
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const accepted = [...this.#accepted].map((socket) => once(socket, 'close'));
    const closed = Promise.all([
      new Promise<void>((resolve) => server.close(() => resolve())),
      ...accepted.map((over) => over.catch(() => {})), // an error is an end, too
    ]);
    this.#handler?.stop();
    this.#watches?.stop();
    for (const socket of this.#sockets) socket.destroy();
    server.closeIdleConnections();
    const grace = new AbortController();
    const late = delay(this.#limits.stopMs, { clock: this.#clock, signal: grace.signal }).then(
      () => {
        server.closeAllConnections();
        for (const socket of this.#accepted) socket.destroy();
      },
      () => {}, // closed in time
    );
    await closed;
    grace.abort();
    await late;
  }

  async #upgrade(
    handler: ApiHandler,
    request: Parameters<ApiHandler['upgrade']>[0],
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    await handler.upgrade(request, socket, head);
  }

  #createServer(): Server {
    const options = { maxHeaderSize: this.#limits.headerBytes };
    if (this.#options.tls === undefined) return createHttpServer(options);
    return createHttpsServer({ ...options, ...this.#tlsOptions() });
  }

  #tlsOptions(): object {
    const { tls } = this.#options;
    if (tls === undefined) return {};
    const { cert, key, clientCa } = tls;
    // Certificates are asked for, not demanded: there are tokens, and anonymous requests.
    const client =
      clientCa === undefined ? {} : { ca: [clientCa].flat(), requestCert: true, rejectUnauthorized: false };
    const limits = { handshakeTimeout: HEADERS_TIMEOUT_MS };
    return { cert, key, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'], ...limits, ...client };
  }

  #createHandler(): ApiHandler {
    const { store, registry, authorizer, connect, plugins = [], tokens, tokenIssuer, rules } = this.#options;
    const { random = systemRandom } = this.#options;
    const actions = new Map([
      ...builtInActions({ store, registry, authorizer, plugins, tokens, tokenIssuer, rules }),
      ...(this.#options.actions ?? []),
    ]);
    const clock = this.#clock;
    const { version = DEFAULT_VERSION } = this.#options;
    const metrics = new ServerMetrics(this.#options.metrics);
    const limits = this.#limits;
    const watches = new WatchHandler({
      registry,
      clock,
      random,
      metrics,
      limits: {
        stalledMs: limits.stalledMs,
        bookmarkMs: limits.bookmarkMs,
        limitEvents: limits.watchEvents,
        maxWatches: limits.maxWatches,
        minTimeoutMs: limits.watchTimeoutMs,
      },
    });
    watches.start();
    this.#watches = watches;
    const resources = new ResourceHandler({
      store,
      registry,
      plugins,
      clock,
      random,
      patcher: standardPatcher,
      watches,
      connect,
      actions: new Actions(actions),
    });
    return new ApiHandler({
      store,
      storeOf: this.#options.storeOf,
      delegate: this.#options.delegate,
      registry,
      clock,
      authorizer,
      resources,
      connect,
      metrics,
      authentication: {
        authenticators: this.#options.authenticators ?? [],
        tokens,
        anonymous: this.#options.anonymous ?? true,
      },
      paths: [
        ...(this.#options.paths ?? []),
        new HealthHandler(this.#options.healthChecks ?? []),
        new OpenApiHandler(registry, version.gitVersion),
        new DiscoveryHandler(registry, version, () => this.#hostAndPort()),
      ],
      bodyLimitBytes: limits.bodyBytes,
      onAnswered: this.#options.onAnswered,
      onError: this.#options.onError,
    });
  }

  #hostAndPort(): string {
    const address = this.#address;
    if (address === null) throw new TypeError('the server has not been started');
    if (typeof address === 'string') return address;
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `${host}:${address.port}`;
  }
}
