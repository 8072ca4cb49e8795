import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { isPlainObject } from '../../../src/meta/json.ts';
import type { Exchange } from '../../recordings.ts';
import { differences, type LearnedValues } from './comparison.ts';

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly distinct: NodeJS.Dict<string[]>;
  /** Parsed JSON, or text. */
  readonly body: unknown;
}

/** Header by which tests say who they are. */
export const USER_HEADER = 'x-test-user';
const ADMIN = 'fx-admin';
const HEADERS = [
  'content-type',
  'warning',
  'retry-after',
  'allow',
  'cache-control',
  'vary',
  'www-authenticate',
];

/** A watch that is open. */
export interface OpenWatch {
  readonly status: number;
  /** The lines so far; more come. */
  readonly lines: unknown[];
  readonly ended: Promise<void>;
  close(): void;
}

/** Sends recorded requests to a server, translating what differs from run to run, and compares the answers. */
export class Replayer {
  readonly learned: LearnedValues = { strings: new Map(), numbers: new Map() };
  /** Tokens that stand for redacted ones, by the exchange's name. */
  readonly bearers = new Map<string, string>();
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** A request of the test's own, as a member of system:masters. @throws Error if the server refuses it. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ): Promise<Record<string, unknown>> {
    const headers = { [USER_HEADER]: ADMIN, 'content-type': contentType };
    const answer = await this.#send(
      method,
      path,
      headers,
      body === undefined ? undefined : JSON.stringify(body),
    );
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return isPlainObject(answer.body) ? answer.body : {};
  }

  /** Sends a merge patch. */
  patch(path: string, body: unknown): Promise<Record<string, unknown>> {
    return this.call('PATCH', path, body, 'application/merge-patch+json');
  }

  /** Sends a recorded request. */
  send(exchange: Exchange): Promise<Answer> {
    const { method, path } = exchange.request;
    return this.#send(method, this.#path(path), this.#headers(exchange), this.#body(exchange));
  }

  /** Opens a recorded watch. */
  watch(exchange: Exchange): Promise<OpenWatch> {
    const { method, path } = exchange.request;
    const lines: unknown[] = [];
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        `${this.#url}${this.#path(path)}`,
        { method, headers: this.#headers(exchange), agent: false },
        (response) => {
          let rest = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            const parts = (rest + chunk).split('\n');
            rest = parts.pop() ?? '';
            for (const part of parts) lines.push(JSON.parse(part));
          });
          const ended = new Promise<void>((done) => response.once('close', () => done()));
          resolve({ status: response.statusCode ?? 0, lines, ended, close: () => request.destroy() });
        },
      );
      request.once('error', reject);
      request.end();
    });
  }

  /** Keeps the token that an answer carries, for the exchanges in which the recorder took it out. */
  remember({ name }: Exchange, { body }: Answer): void {
    if (name !== 'serviceaccount-token' || !isPlainObject(body) || !isPlainObject(body['status'])) return;
    const { token } = body['status'];
    if (typeof token !== 'string') return;
    for (const later of ['tokenreview-valid', 'bearer-forbidden']) this.bearers.set(later, token);
  }

  /** Differences between the recorded answer and ours. */
  compare(exchange: Exchange, answer: Answer): string[] {
    const { response, note = '' } = exchange;
    const found: string[] = [];
    if (answer.status !== response.status) found.push(`status: ${response.status} ≠ ${answer.status}`);
    const unorderedErrors = exchange.request.path.startsWith('/apis/fx.example/');
    const discovery = /^\/apis?$/.test(exchange.request.path);
    const subset =
      discovery ||
      note.includes('trimmed') ||
      (isPlainObject(response.body) && 'trimmedByRecorder' in response.body);
    found.push(
      ...differences(
        { body: response.body },
        { body: answer.body },
        { learned: this.learned, subset, unorderedErrors },
      ),
    );
    return [...found, ...this.#headerDifferences(response.headers, answer)];
  }

  #headerDifferences(recorded: Exchange['response']['headers'], answer: Answer): string[] {
    const expected = new Map(
      Object.entries(recorded).map(([name, value]) => [name.toLowerCase(), [value].flat()]),
    );
    return HEADERS.flatMap((name) => {
      const wanted = expected.get(name) ?? [];
      const actual = answer.distinct[name] ?? [];
      return JSON.stringify(wanted) === JSON.stringify(actual)
        ? []
        : [`header ${name}: ${JSON.stringify(wanted)} ≠ ${JSON.stringify(actual)}`];
    });
  }

  #headers({ name, request }: Exchange): Record<string, string | string[]> {
    const headers: Record<string, string | string[]> = {};
    for (const [key, value] of Object.entries(request.headers)) headers[key.toLowerCase()] = value;
    if (headers['authorization'] !== undefined) {
      headers['authorization'] = `Bearer ${this.bearers.get(name) ?? 'bad'}`;
    } else if (!ANONYMOUS.has(name)) {
      headers[USER_HEADER] = ADMIN;
    }
    return headers;
  }

  #path(path: string): string {
    return path.replace(
      /([?&](?:resourceVersion|continue)=)([^&]*)/g,
      (_match, head: string, value: string) => {
        return `${head}${encodeURIComponent(this.#learned(decodeURIComponent(value)))}`;
      },
    );
  }

  #learned(value: string): string {
    return this.learned.strings.get(value) ?? value;
  }

  #body({ name, request }: Exchange): string | undefined {
    const { body } = request;
    if (body === undefined) return undefined;
    if (typeof body === 'string') return body;
    return JSON.stringify(this.#translate(body, name));
  }

  #translate(value: unknown, name: string): unknown {
    if (typeof value === 'string') {
      if (value === '<redacted>') return this.bearers.get(name) ?? value;
      return this.#learned(value);
    }
    if (Array.isArray(value)) return value.map((item) => this.#translate(item, name));
    if (!isPlainObject(value)) return value;
    // An object that was read before carries its time of creation: ours has another, and fills it in.
    const members = Object.entries(value).filter(([key]) => key !== 'creationTimestamp');
    return Object.fromEntries(members.map(([key, member]) => [key, this.#translate(member, name)]));
  }

  #send(
    method: string,
    path: string,
    headers: Record<string, string | string[]>,
    body?: string,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      // Node sends no length of its own with a DELETE.
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = { method, headers: { ...headers, ...length }, agent: false } as const;
      const request = httpRequest(`${this.#url}${path}`, options, (response) => {
        readAnswer(response).then(resolve, reject);
      });
      request.once('error', reject);
      request.end(body);
    });
  }
}

/** Exchanges that were recorded without credentials. */
const ANONYMOUS = new Set(['anonymous-forbidden', 'healthz-anonymous']);

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const isJson = (response.headers['content-type'] ?? '').startsWith('application/json');
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    distinct: response.headersDistinct,
    body: isJson && text !== '' ? (JSON.parse(text) as unknown) : text,
  };
}
