import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { StatusError, type DelegatedRequest, type Responder } from '@hawser/kube';
import type { Logger } from '@hawser/seams';
import type { ApiCaller, CloudAccess, CloudAnswer } from './cloud-access-types.ts';
import type { RememberedAnswer, RememberedAnswers } from './remembered-answers.ts';

/** Where an answer came from. */
export type DiscoverySource = 'cloud' | 'remembered';

/** What {@link DiscoveryAnswers} need. */
export interface DiscoveryAnswersOptions {
  readonly cloud: CloudAccess;
  readonly remembered: RememberedAnswers;
  readonly log: Logger;
}

const PATHS = /^\/(api|apis|openapi|version)(\/|$)/;
/** Of an answer, compressed. OpenAPI of a large cluster has a megabyte. */
const LIMIT_BYTES = 4 * 1024 * 1024;
const PASSED = ['content-type', 'content-encoding', 'etag', 'cache-control', 'vary', 'last-modified'];
/** Of an answer for a client that takes nothing compressed. */
const UNPACKED_BYTES = 32 * 1024 * 1024;
const MAX_ACCEPT = 1024;

const unpacked = promisify(gunzip);

/** What the API server says of itself: from it while it can be reached, else what it last said. */
export class DiscoveryAnswers {
  readonly #options: DiscoveryAnswersOptions;

  constructor(options: DiscoveryAnswersOptions) {
    this.#options = options;
  }

  /** Whether a request that is for no resource asks for something of this kind. */
  serves({ info, request }: Pick<DelegatedRequest, 'info' | 'request'>): boolean {
    return (request.method === 'GET' || request.method === 'HEAD') && PATHS.test(info.path);
  }

  /**
   * Answers, and says from where; undefined: nothing was answered, because nothing is known.
   * @param caller as whom the API server is asked; undefined: as nobody
   * @throws StatusError Forbidden
   */
  async answer(
    asked: DelegatedRequest,
    respond: Responder,
    caller: ApiCaller | undefined,
  ): Promise<DiscoverySource | undefined> {
    const { cloud, remembered } = this.#options;
    const { request, info } = asked;
    const accept = (request.headers.accept ?? '').slice(0, MAX_ACCEPT);
    // Its hash is only there to make caches ask again.
    const { path } = info;
    if (cloud.available && caller !== undefined) {
      const answer = await this.#ask(asked, accept, caller);
      if (answer !== undefined) {
        await send(asked, respond, answer.code, shown(answer));
        if (answer.code === 200) await remembered.put(path, accept, shown(answer));
        return 'cloud';
      }
    }
    await asked.authorize();
    const known = await remembered.get(path, accept);
    if (known === undefined) return undefined;
    await send(asked, respond, 200, known);
    return 'remembered';
  }

  /** undefined: the API server does not tell him. @throws the client has left */
  async #ask(
    { request, signal }: DelegatedRequest,
    accept: string,
    caller: ApiCaller,
  ): Promise<CloudAnswer | undefined> {
    const { cloud, log } = this.#options;
    const etag = request.headers['if-none-match'];
    const headers = {
      'accept-encoding': 'gzip',
      ...(accept !== '' && { accept }),
      ...(etag !== undefined && { 'if-none-match': etag }),
      ...(request.headers['user-agent'] !== undefined && { 'user-agent': request.headers['user-agent'] }),
    };
    try {
      const answer = await cloud.read({
        path: request.url ?? '/',
        headers,
        caller,
        limitBytes: LIMIT_BYTES,
        signal,
      });
      // Whether the caller may is then for the rules here to say: the hub may not know a new pod yet.
      return answer.code < 400 || answer.code === 404 ? answer : undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof StatusError)) throw error;
      log.debug({ err: error.message, url: request.url }, 'the API server does not tell what it has');
      return undefined;
    }
  }
}

function shown({ headers, body }: CloudAnswer): RememberedAnswer {
  const kept = PASSED.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, [value].flat().join(', ')] as const];
  });
  return { headers: Object.fromEntries(kept), body };
}

async function send(
  { request }: DelegatedRequest,
  { raw }: Responder,
  code: number,
  { headers, body }: RememberedAnswer,
): Promise<void> {
  const { etag } = headers;
  if (code === 304 || (code === 200 && etag !== undefined && request.headers['if-none-match'] === etag)) {
    raw.writeHead(304, etag === undefined ? {} : { etag }).end();
    return;
  }
  const takesGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const { 'content-encoding': encoding, ...others } = headers;
  const isPacked = encoding === 'gzip';
  const bytes = isPacked && !takesGzip ? await unpacked(body, { maxOutputLength: UNPACKED_BYTES }) : body;
  raw.writeHead(code, {
    ...others,
    ...(isPacked && takesGzip && { 'content-encoding': 'gzip' }),
    'content-length': bytes.length,
  });
  raw.end(request.method === 'HEAD' ? undefined : bytes);
}
