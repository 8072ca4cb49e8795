import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { stringify } from 'yaml';
import type { Status } from '../../status/status.ts';
import type { Representation } from './negotiation.ts';

const gzipAsync = promisify(gzip);
/** Smaller answers are not worth compressing. Source: k8s.io/apiserver responsewriters defaultGzipThresholdBytes. */
const GZIP_FROM_BYTES = 128 * 1024;
const GZIP_LEVEL = 1;
const MAX_WARNING_LENGTH = 1024;
const MAX_WARNINGS = 100;

/** What every answer of the API carries. */
export const API_HEADERS = { 'Cache-Control': 'no-cache, private' } as const;

/** Collects Warning headers of one answer; each text once. */
export class Warnings {
  readonly #texts = new Set<string>();

  /** Adds a warning. */
  add(text: string): void {
    if (this.#texts.size < MAX_WARNINGS) this.#texts.add(text);
  }

  /** The headers' values, as RFC 7234 section 5.5 writes them with code 299. */
  headers(): string[] {
    return [...this.#texts].map((text) => `299 - ${quote(text.slice(0, MAX_WARNING_LENGTH))}`);
  }
}

/** A quoted-string of printable ASCII; other characters are replaced. */
function quote(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]+/g, ' ').replace(/[\\"]/g, '\\$&')}"`;
}

/** Writes one answer. */
export class Responder {
  readonly warnings = new Warnings();
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  /** The response, for what streams. */
  get raw(): ServerResponse {
    return this.#response;
  }

  /** Sends an object of the API, given as a value or as its JSON. */
  async object(code: number, body: object | Buffer, representation: Representation): Promise<void> {
    if (representation.mediaType === 'application/yaml') {
      const value = Buffer.isBuffer(body) ? (JSON.parse(body.toString('utf8')) as unknown) : body;
      await this.bytes(code, 'application/yaml', Buffer.from(toYaml(value)));
      return;
    }
    if (representation.pretty) {
      const value = Buffer.isBuffer(body) ? (JSON.parse(body.toString('utf8')) as unknown) : body;
      await this.bytes(code, 'application/json', Buffer.from(JSON.stringify(value, null, 2)));
      return;
    }
    await this.bytes(
      code,
      'application/json',
      Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
    );
  }

  /** Sends a Status: errors, and successes that have no object. */
  async status(status: Status, code = status.code): Promise<void> {
    const retryAfterSeconds = status.details?.retryAfterSeconds;
    const headers = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
    await this.bytes(code, 'application/json', Buffer.from(JSON.stringify(status)), headers);
  }

  /** Sends plain text, as /healthz does. */
  async text(code: number, text: string): Promise<void> {
    const headers = { 'X-Content-Type-Options': 'nosniff' };
    await this.bytes(code, 'text/plain; charset=utf-8', Buffer.from(text), headers);
  }

  /** Sends bytes; large ones compressed if the client takes that. */
  async bytes(
    code: number,
    type: string,
    body: Buffer,
    headers: Readonly<Record<string, string | string[]>> = {},
  ): Promise<void> {
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    const warnings = this.warnings.headers();
    const compress = body.length >= GZIP_FROM_BYTES && acceptsGzip(this.#request.headers['accept-encoding']);
    const sent = compress ? await gzipAsync(body, { level: GZIP_LEVEL }) : body;
    response.writeHead(code, {
      ...API_HEADERS,
      'Content-Type': type,
      ...(warnings.length === 0 ? {} : { Warning: warnings }),
      ...(compress ? { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' } : {}),
      ...headers,
      'Content-Length': sent.length,
    });
    response.end(this.#request.method === 'HEAD' ? undefined : sent);
  }
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return /(^|[\s,])gzip\s*(;\s*q=(?!0(\.0*)?\s*(,|$))|,|$)/.test(String(header ?? ''));
}

/** YAML as the API server writes it: keys sorted, what looks like anything but a string quoted. */
export function toYaml(value: unknown): string {
  return stringify(value, {
    version: '1.1',
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}
