import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@hawser/seams';
import { EdgeCoreError } from '../errors.ts';
import type {
  AcceptClusterAnswer,
  AdminFailure,
  EdgeStatus,
  ObjectList,
  ObjectView,
  PodRows,
  PodView,
} from './admin-types.ts';
import type { DeviceRoutes } from './device-routes.ts';
import type { PoolRoutes } from './pool-routes.ts';
import { adminError, prepareSocketFile, protectSocketFile } from './socket-file.ts';

/** What the admin socket shows and does. */
export interface AdminActions {
  status(): EdgeStatus | Promise<EdgeStatus>;
  objects(resource: string | undefined): ObjectList;
  /** undefined: there is none. */
  object(key: string): Promise<ObjectView | undefined>;
  pods(): PodRows;
  /** undefined: there is none. */
  pod(namespace: string, name: string): PodView | undefined;
  acceptCluster(): Promise<AcceptClusterAnswer>;
  /** Resolves when the old session is down. */
  reconnect(): Promise<void>;
  /** Prometheus text. */
  metrics(): Promise<string>;
}

/** The kubelet API, as far as this socket shows it. None of it rejects. */
export interface AdminKubelet {
  serves(path: string): boolean;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

/** Requests to the kubelet API at a time: logs that are followed, and shells, may stay for days. */
const MAX_KUBELET_REQUESTS = 48;
/** The others are a person, a monitoring agent, and some more: those shells must not shut out `hawser status`. */
const MAX_CONNECTIONS = MAX_KUBELET_REQUESTS + 16;
/** For a request to come in; an answer may take as long as it does. */
const REQUEST_TIMEOUT_MS = 10_000;
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * HTTP on a unix socket, for programs on this machine. Who may open the socket's file may use it: the folder is 0700,
 * the socket 0600. Bodies are only taken for settings of devices. Beside its own answers it has the kubelet API, which works without a cloud here.
 */
export class AdminServer {
  readonly #socket: string;
  readonly #actions: AdminActions;
  readonly #kubelet: AdminKubelet | undefined;
  readonly #devices: DeviceRoutes | undefined;
  readonly #pool: PoolRoutes | undefined;
  readonly #log: Logger;
  #server: Server | undefined;
  #kubeletRequests = 0;

  constructor(options: {
    readonly socket: string;
    readonly actions: AdminActions;
    /** Stopped by whoever has made it, before this: its answers may go on for ever. Default: none. */
    readonly kubelet?: AdminKubelet;
    /** Default: none. */
    readonly devices?: DeviceRoutes;
    /** Default: none. */
    readonly pool?: PoolRoutes;
    readonly log: Logger;
  }) {
    this.#socket = options.socket;
    this.#actions = options.actions;
    this.#kubelet = options.kubelet;
    this.#devices = options.devices;
    this.#pool = options.pool;
    this.#log = options.log;
  }

  /** Opens the socket. Idempotent. @throws EdgeCoreError `ERR_EDGECORE_ADMIN` */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    await prepareSocketFile(this.#socket);
    const server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: 1 },
      (request, response) => {
        void this.#serve(request, response);
      },
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#server = server;
    try {
      await listen(server, this.#socket);
    } catch (cause) {
      this.#server = undefined;
      throw adminError(this.#socket, cause);
    }
    await protectSocketFile(this.#socket);
    server.on('error', (error) => this.#log.warn({ err: error }, 'admin socket'));
  }

  /** Closes the socket and removes its file, after the answers under way. Idempotent. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  }

  /** Never rejects. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {}); // whoever asked has gone
    try {
      const url = new URL(request.url ?? '/', 'http://edge');
      if (this.#devices?.serves(url.pathname) === true) {
        await this.#devices.handle(request, url, response).finally(() => request.resume());
        return;
      }
      request.resume(); // bodies of others are not read
      if (this.#pool?.serves(url.pathname) === true) this.#pool.handle(request, url, response);
      else if (this.#kubelet?.serves(url.pathname) === true)
        await this.#asKubelet(this.#kubelet, request, response);
      else await this.#answer(request.method ?? '', url, response);
    } catch (error) {
      const isOurs = error instanceof EdgeCoreError || isDeviceError(error);
      if (!isOurs) this.#log.warn({ err: error, url: request.url }, 'an admin request failed');
      const message = error instanceof Error ? error.message : String(error);
      sendFailure(response, isOurs ? 409 : 500, isOurs ? error.code : 'ERR_EDGECORE_ADMIN', message);
    }
  }

  /** Never rejects. */
  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (this.#kubelet === undefined || this.#kubeletRequests >= MAX_KUBELET_REQUESTS) {
      socket.on('error', () => {}); // whoever asked has gone
      const status = this.#kubelet === undefined ? '404 Not Found' : '429 Too Many Requests';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#kubeletRequests += 1;
    await this.#kubelet.upgrade(request, socket, head);
    this.#kubeletRequests -= 1;
  }

  async #asKubelet(kubelet: AdminKubelet, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#kubeletRequests >= MAX_KUBELET_REQUESTS) {
      const message = `${MAX_KUBELET_REQUESTS} requests to the kubelet API are open; it takes no more`;
      sendFailure(response, 429, 'ERR_EDGECORE_ADMIN', message);
      return;
    }
    this.#kubeletRequests += 1;
    await kubelet.handle(request, response);
    this.#kubeletRequests -= 1;
  }

  async #answer(method: string, url: URL, response: ServerResponse): Promise<void> {
    const actions = this.#actions;
    const path = url.pathname;
    const objectKey = path.startsWith('/v1/objects/') ? keyIn(path.slice('/v1/objects/'.length)) : undefined;
    if (objectKey !== undefined && method === 'GET') {
      const found = await actions.object(objectKey);
      if (found === undefined) notFound(response, `the edge has no object ${objectKey}`);
      else sendJson(response, found);
      return;
    }
    const podKey = path.startsWith('/v1/pods/') ? keyIn(path.slice('/v1/pods/'.length)) : undefined;
    if (podKey !== undefined && method === 'GET') {
      const [namespace = '', name = ''] = podKey.split('/');
      const found = actions.pod(namespace, name);
      if (found === undefined) notFound(response, `pod "${name}" in namespace "${namespace}" not found`);
      else sendJson(response, found);
      return;
    }
    switch (`${method} ${path}`) {
      case 'GET /v1/pods':
        sendJson(response, actions.pods());
        return;
      case 'GET /v1/status':
        sendJson(response, await actions.status());
        return;
      case 'GET /v1/objects':
        sendJson(response, actions.objects(url.searchParams.get('resource') ?? undefined));
        return;
      case 'POST /v1/accept-cluster':
        sendJson(response, await actions.acceptCluster());
        return;
      case 'POST /v1/reconnect':
        await actions.reconnect();
        sendJson(response, {});
        return;
      case 'GET /metrics':
        sendText(response, await actions.metrics());
        return;
      default:
        notFound(response, `${method} ${path} is not served here`);
    }
  }
}

/** Those of devices are known by their code: their class comes with all that devices need. */
function isDeviceError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_DEVICES_');
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** @throws EdgeCoreError `ERR_EDGECORE_ADMIN` for what no client of ours sends */
function keyIn(path: string): string {
  try {
    return path.split('/').map(decodeURIComponent).join('/');
  } catch (cause) {
    throw new EdgeCoreError('ERR_EDGECORE_ADMIN', `${path} is no key`, { cause });
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': METRICS_TYPE }).end(text);
}

function notFound(response: ServerResponse, message: string): void {
  sendFailure(response, 404, 'ERR_EDGECORE_ADMIN', message);
}

function sendFailure(response: ServerResponse, status: number, code: string, message: string): void {
  const failure: AdminFailure = { error: { code, message } };
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(failure));
}
