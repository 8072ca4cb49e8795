import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@hawser/seams';
import { Registry } from '@hawser/seams/metrics';
import { mapperMetrics, type Measured } from './mapper-metrics.ts';

/** A server of metrics that runs. */
export interface MetricsServer {
  readonly port: number;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` in the Prometheus text format, and nothing else.
 * @throws Error the address cannot be listened on
 */
export async function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  mapper: Measured,
  log: Logger,
): Promise<MetricsServer> {
  const registry = new Registry();
  mapperMetrics(registry, mapper);
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => {
        log.error({ err: error }, 'metrics cannot be made');
        response.writeHead(500).end();
      },
    );
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  server.maxConnections = 16;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
  const listening = server.address() as AddressInfo; // a TCP server has one while it listens
  log.info({ host, port: listening.port }, 'metrics are served');
  return {
    port: listening.port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
