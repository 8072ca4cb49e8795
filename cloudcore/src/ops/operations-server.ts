import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { bindable } from '../config/listen-host.ts';
import { CloudCoreError } from '../errors.ts';

/** Settings of {@link OperationsServer}. */
export interface OperationsServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly registry: Registry;
  /** Why the hub is not ready for edges, one line each; empty: it is. */
  readonly unready: () => readonly string[];
}

const REQUEST_TIMEOUT_MS = 10_000;

/** `/livez` and `/healthz` (the process works), `/readyz` (edges are served), `/metrics` (Prometheus). */
export class OperationsServer {
  readonly #options: OperationsServerOptions;
  readonly #server: Server;
  #port = 0;

  constructor(options: OperationsServerOptions) {
    this.#options = options;
    this.#server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: 8 * 1024 },
      (request, response) => {
        this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
      },
    );
  }

  /** The port that was bound. */
  get port(): number {
    return this.#port;
  }

  /** Binds the port. @throws CloudCoreError `ERR_CLOUDCORE_LISTEN` */
  async start(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => {
        const message = `cannot listen on ${host}:${port} for operations: ${cause.message}`;
        reject(new CloudCoreError('ERR_CLOUDCORE_LISTEN', message, { cause }));
      });
      this.#server.listen({ host: bindable(host), port }, resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port; // a TCP server that listens has one
  }

  /** Frees the port. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      reply(response, 405, 'only GET\n');
      return;
    }
    switch (request.url?.split('?')[0]) {
      case '/livez':
      case '/healthz': {
        reply(response, 200, 'ok\n');
        return;
      }
      case '/readyz': {
        const reasons = this.#options.unready();
        const lines = reasons.map((reason) => `- ${reason}\n`);
        reply(
          response,
          lines.length === 0 ? 200 : 503,
          lines.length === 0 ? 'ok\n' : `not ready:\n${lines.join('')}`,
        );
        return;
      }
      case '/metrics': {
        const { registry } = this.#options;
        reply(response, 200, await registry.metrics(), registry.contentType);
        return;
      }
      default: {
        reply(response, 404, 'there are /livez, /healthz, /readyz and /metrics\n');
        return;
      }
    }
  }
}

function reply(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text);
}
