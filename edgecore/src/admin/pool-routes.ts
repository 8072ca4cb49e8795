import type { IncomingMessage, ServerResponse } from 'node:http';
import { remedyOf } from '../hub/session-record.ts';
import type { LocalApiStatus } from '../local-api/local-api-types.ts';
import type { PoolStatus } from '../pool/pool-types.ts';
import type { AdminFailure } from './admin-types.ts';

/** What the admin socket shows of the node's pool. */
export interface AdminPool {
  /** undefined: the node is in no pool. */
  status(): PoolStatus | undefined;
}

/** What the admin socket shows of the local API. */
export interface AdminLocalApi {
  status(): LocalApiStatus;
}

/** Where the parts are that are shown; undefined: there is none (yet). */
export interface PoolRoutesOptions {
  readonly pool: () => AdminPool | undefined;
  readonly localApi: () => AdminLocalApi | undefined;
}

const POOL = '/v1/pool';
const LOCAL_API = '/v1/local-api';

/** The part of the admin socket that is about the pool of the node and its local API: docs/pool.md. Only shows. */
export class PoolRoutes {
  readonly #options: PoolRoutesOptions;

  constructor(options: PoolRoutesOptions) {
    this.#options = options;
  }

  serves(path: string): boolean {
    return path === POOL || path === LOCAL_API;
  }

  handle(request: IncomingMessage, url: URL, response: ServerResponse): void {
    const { pool, localApi } = this.#options;
    if (request.method !== 'GET') {
      fail(response, 405, `${request.method ?? ''} is not for ${url.pathname}`);
      return;
    }
    const isPool = url.pathname === POOL;
    const body = isPool ? withRemedies(pool()?.status()) : localApi()?.status();
    if (body !== undefined) send(response, 200, body);
    else fail(response, 404, isPool ? 'this node is in no pool' : 'this node has no local API');
  }
}

function withRemedies(status: PoolStatus | undefined): PoolStatus | undefined {
  if (status === undefined) return undefined;
  const problems = status.problems.map((problem) => {
    const remedy = remedyOf(problem.code);
    return { ...problem, ...(remedy !== undefined && { remedy }) };
  });
  return { ...status, problems };
}

function fail(response: ServerResponse, status: number, message: string): void {
  const failure: AdminFailure = { error: { code: 'ERR_EDGECORE_ADMIN', message } };
  send(response, status, failure);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
