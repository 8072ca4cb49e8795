import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Exchange } from '../recordings.ts';

/** A request as the replay server got it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/**
 * An HTTP server that answers with recorded exchanges, in the order given, and notes what it was asked. A watch
 * stays open after its recorded lines, unless the recorded server closed it.
 */
export class ReplayServer {
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;
  readonly #answers: Exchange[] = [];
  #url = '';

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.#answer(request, Buffer.concat(chunks).toString('utf8'), response));
    });
  }

  get url(): string {
    return this.#url;
  }

  /** Adds answers for the next requests. */
  then(...exchanges: Exchange[]): void {
    this.#answers.push(...exchanges);
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, text: string, response: ServerResponse): void {
    const { method = '', headers } = request;
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    this.seen.push({ method, url: new URL(request.url ?? '', 'http://server'), headers, body });
    const exchange = this.#answers.shift();
    if (exchange === undefined) {
      response.writeHead(503).end('nothing recorded for this');
      return;
    }
    const { status, headers: recorded, lines, body: answer } = exchange.response;
    for (const [name, value] of Object.entries(recorded)) {
      if (name.toLowerCase() !== 'transfer-encoding') response.setHeader(name, value);
    }
    response.writeHead(status);
    if (lines === undefined) {
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
      return;
    }
    response.flushHeaders();
    for (const line of lines) response.write(`${JSON.stringify(line)}\n`);
    const { endedBy = '' } = exchange.response as { endedBy?: string };
    if (endedBy.startsWith('server')) response.end();
  }
}
