import { createHash } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { finished } from 'node:stream/promises';
import type { UpstreamBodies } from '@hawser/sync';
import { DONE, Refusal } from './outcome.ts';
import type { UpstreamOutcome } from './upstream-handler.ts';
import type { Origin, WriterContext } from './upstream-task.ts';

/** Where uploads of edges go. */
export interface UploadTarget {
  /** `http:` or `https:`; `''`: nowhere. */
  readonly url: string;
  /** PEM. Authorities of the server. Default: those that Node trusts. */
  readonly ca?: string | undefined;
  /** PEM. The client certificate, and its key. Default: none. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** For the whole of a request, milliseconds. */
  readonly timeoutMs: number;
  /** Requests at a time. */
  readonly maxInFlight: number;
}

/** Nowhere. */
export const NO_UPLOADS: UploadTarget = { url: '', timeoutMs: 10_000, maxInFlight: 16 };

/** What the receiver finds wrong with the upload itself: again it would be wrong again. */
const FINAL: ReadonlySet<number> = new Set([400, 409, 410, 413, 415, 422]);
const MAX_RETRY_AFTER_S = 600;

/** Hands what programs at edges publish for the cloud to an HTTP server. */
export class UploadWriter {
  readonly #context: WriterContext;
  readonly #target: UploadTarget;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #request: typeof httpsRequest;
  #warned = false;

  constructor(context: WriterContext, target: UploadTarget) {
    this.#context = context;
    this.#target = target;
    const { maxInFlight: maxSockets, ca, cert, key } = target;
    const isSecure = target.url.startsWith('https:');
    this.#agent = isSecure
      ? new HttpsAgent({ keepAlive: true, maxSockets, ca, cert, key })
      : new HttpAgent({ keepAlive: true, maxSockets });
    this.#request = isSecure ? httpsRequest : httpRequest;
  }

  /**
   * Posts the bytes as they were published. Done when the server answers 2xx; it may get the same upload again, with the
   * same `hawser-upload`. Headers: `hawser-node`, `hawser-topic` (escaped as in a URL), `hawser-at`, `hawser-upload`.
   * @throws Refusal 404 not-configured; 422 upload where the server does not want it; 503 upload otherwise
   */
  async write(origin: Origin, body: UpstreamBodies['upload']): Promise<UpstreamOutcome> {
    if (this.#target.url === '') throw this.#notConfigured();
    const payload = Buffer.from(body.payload, 'base64');
    const { statusCode = 0, retryAfter } = await this.#post(origin, body, payload);
    if (statusCode >= 200 && statusCode < 300) {
      this.#context.metrics.uploadedBytes.inc(payload.length);
      return DONE;
    }
    const why = `the receiver of uploads answers ${statusCode}`;
    if (FINAL.has(statusCode)) throw new Refusal(422, 'upload', why);
    throw new Refusal(503, 'upload', why, retryAfterMs(retryAfter));
  }

  /** Closes what is open and not in use. */
  close(): void {
    this.#agent.destroy();
  }

  #notConfigured(): Refusal {
    const message = 'this hub has nowhere to send uploads: set uploads.url in the configuration of cloudcore';
    if (!this.#warned) this.#context.log.warn({}, `an edge uploads, but ${message}`);
    this.#warned = true;
    return new Refusal(404, 'not-configured', message);
  }

  async #post(
    origin: Origin,
    body: UpstreamBodies['upload'],
    payload: Buffer,
  ): Promise<{ statusCode: number | undefined; retryAfter: string | undefined }> {
    const signal = AbortSignal.any([origin.calls, AbortSignal.timeout(this.#target.timeoutMs)]);
    try {
      const answer = await this.#send(payload, headersOf(origin, body), signal);
      // The connection is used again only when the answer was read.
      await finished(answer.resume());
      return { statusCode: answer.statusCode, retryAfter: answer.headers['retry-after'] };
    } catch (error) {
      origin.calls.throwIfAborted();
      const why = signal.aborted ? `none within ${this.#target.timeoutMs} ms` : messageOf(error);
      throw new Refusal(503, 'upload', `no answer from the receiver of uploads: ${why}`);
    }
  }

  #send(
    payload: Buffer,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { url } = this.#target;
      const sent = { ...headers, 'content-length': String(payload.length) };
      const request = this.#request(url, { method: 'POST', agent: this.#agent, signal, headers: sent });
      request.on('response', resolve);
      request.on('error', reject);
      request.end(payload);
    });
  }
}

function headersOf(
  { node }: Origin,
  { topic, payload, at }: UpstreamBodies['upload'],
): Readonly<Record<string, string>> {
  const id = createHash('sha256')
    .update(JSON.stringify([node, topic, at, payload]))
    .digest('hex');
  return {
    'content-type': 'application/octet-stream',
    'user-agent': 'hawser-cloudcore',
    'hawser-node': node,
    // Through bytes, because half a character cannot be escaped.
    'hawser-topic': encodeURI(Buffer.from(topic).toString()),
    'hawser-at': at,
    'hawser-upload': id,
  };
}

function retryAfterMs(header: string | undefined): number | undefined {
  const seconds = Number(header);
  if (header === undefined || !Number.isFinite(seconds) || seconds < 0) return undefined;
  return Math.min(seconds, MAX_RETRY_AFTER_S) * 1000;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
