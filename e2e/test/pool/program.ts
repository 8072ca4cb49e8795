import { once } from 'node:events';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { within } from '@hawser/seams/testing';

/** An API server as a program knows it. */
export interface ApiPlace {
  readonly port: number;
  /** Authority of its certificate, PEM. */
  readonly ca: string;
}

/** A whole answer. */
export interface ProgramAnswer {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A program with a token, at an API server: over HTTP as it is on the wire, so that answers can be compared. */
export class Program {
  readonly #place: ApiPlace;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(place: ApiPlace, token: string) {
    this.#place = place;
    this.#token = token;
    this.#agent = new Agent({ keepAlive: true, ca: place.ca, maxSockets: 256 });
  }

  /** Begins a request; resolves with the head of its answer. */
  async begin(
    method: string,
    path: string,
    options: { readonly body?: unknown; readonly headers?: OutgoingHttpHeaders } = {},
  ): Promise<IncomingMessage> {
    const { body, headers } = options;
    const outgoing = request({
      ...{ host: '127.0.0.1', port: this.#place.port, method, path, agent: this.#agent },
      headers: { authorization: `Bearer ${this.#token}`, accept: 'application/json', ...headers },
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    return await answered(outgoing);
  }

  /** Makes a request, and reads the whole answer. */
  async call(...args: Parameters<Program['begin']>): Promise<ProgramAnswer> {
    const response = await this.begin(...args);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    return { code: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function answered(outgoing: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await within('an answer', once(outgoing, 'response'), 30_000)) as [IncomingMessage];
  return response;
}
