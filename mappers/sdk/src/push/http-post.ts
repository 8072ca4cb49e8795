import http from 'node:http';
import https from 'node:https';
import { MapperError } from '../errors.ts';

/** What a server has answered. */
export interface HttpAnswer {
  readonly status: number;
  /** At most 64 KiB of it; the rest is passed over. */
  readonly body: string;
}

const BODY_MAX = 64 * 1024;

/** Posts JSON over connections that are kept for the next. */
export class JsonPoster {
  readonly #url: URL;
  readonly #agent: http.Agent;

  constructor(url: URL) {
    this.#url = url;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = url.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
  }

  /** @throws MapperError `ERR_MAPPER_PUSH`: no answer; `signal.reason` */
  post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => {
        if (signal.aborted) reject(signal.reason as Error);
        else reject(new MapperError('ERR_MAPPER_PUSH', cause.message, { cause }));
      };
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'hawser-mapper',
      };
      const { request } = this.#url.protocol === 'https:' ? https : http;
      const sending = request(
        this.#url,
        { method: 'POST', headers, agent: this.#agent, signal },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            if (text.length < BODY_MAX) text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
          response.on('error', fail);
        },
      );
      sending.on('error', fail);
      sending.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/**
 * What an answer means for what was sent.
 * @returns `taken`; `refused`: it will never be taken
 * @throws MapperError `ERR_MAPPER_PUSH`: not now (408, 429, 5xx)
 */
export function verdictOf({ status, body }: HttpAnswer): 'taken' | 'refused' {
  if (status >= 200 && status < 300) return 'taken';
  if (status === 408 || status === 429 || status >= 500) {
    throw new MapperError(
      'ERR_MAPPER_PUSH',
      `the receiver answered ${status} ${body.slice(0, 200)}`.trimEnd(),
    );
  }
  return 'refused';
}
