import { createServer as createHttp2Server, constants, type Http2Server } from 'node:http2';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** A request that an {@link HttpRecorder} has had. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** A server of this machine that notes what it is asked, and says yes to all of it. */
export class HttpRecorder {
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer(({ url = '', headers }, response) => {
      this.requests.push({ path: url, headers });
      response.end('yes\n');
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  async start(host: string): Promise<void> {
    this.#server.listen(0, host);
    await once(this.#server, 'listening');
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Source: grpc/health/v1/health.proto, HealthCheckResponse.ServingStatus. */
const SERVING = 1;
const NOT_SERVING = 2;

/** A gRPC server that knows health checks alone: all services are well but the one named `bad`. */
export class HealthServer {
  /** Services that it was asked for. */
  readonly asked: string[] = [];
  readonly #server: Http2Server;

  constructor() {
    this.#server = createHttp2Server();
    this.#server.on('stream', (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const service = serviceOf(Buffer.concat(chunks));
        const isKnown = headers[constants.HTTP2_HEADER_PATH] === '/grpc.health.v1.Health/Check';
        this.asked.push(service);
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': isKnown ? '0' : '12' }));
        const status = service === 'bad' ? NOT_SERVING : SERVING;
        stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, status]));
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  async start(host: string): Promise<void> {
    this.#server.listen(0, host);
    await once(this.#server, 'listening');
  }

  stop(): void {
    this.#server.close();
  }
}

/** `HealthCheckRequest.service`, field 1, behind the five bytes that each message of gRPC begins with. */
function serviceOf(frame: Buffer): string {
  const message = frame.subarray(5);
  return message[0] === 0x0a ? message.toString('utf8', 2, 2 + (message[1] ?? 0)) : '';
}
