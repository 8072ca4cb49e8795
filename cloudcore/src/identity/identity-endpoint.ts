import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestCertificate, TunnelError, verifyPeer, type PeerIdentity } from '@hawser/proto';
import type { Clock, Logger } from '@hawser/seams';
import { CloudCoreError } from '../errors.ts';
import { addressKey, AttemptLimiter } from './attempt-limiter.ts';
import { authoritiesPem, type Authority } from './authority.ts';
import type { Enrollment } from './enrollment.ts';
import { asRefusal, httpStatusOf, refusalBody, TransientRefusal } from './refusal.ts';
import { optionalTextField, readJsonBody, textField } from './request-body.ts';

/** Failures that one address may have at once; one more comes every six seconds. */
const FAILURES = { burst: 20, refillMs: 6_000, maxKeys: 10_000 } as const;
/** Requests with a body that are worked on at a time. */
const MAX_CONCURRENT = 64;
const BUSY_RETRY_MS = 2_000;

/** Settings of {@link IdentityEndpoint}. */
export interface IdentityEndpointOptions {
  readonly authority: Authority;
  readonly enrollment: Enrollment;
  readonly isRevoked: (identity: PeerIdentity) => boolean;
  /** How long after its end a certificate is good for a renewal, milliseconds. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The part of the tunnel's port that speaks plain HTTPS, for nodes that have no session yet, or none any more:
 *
 * - `GET /v1/authority`: the authorities, PEM. Public; a node compares them with the pin in its token, and may go on
 *   with the next request on the same connection.
 * - `POST /v1/join` `{token, csr, node, pool?}` → `{certificate, authorities, clusterUid, node, pool?, timeMs}`
 * - `POST /v1/renew` `{csr}` → `{certificate, authorities}`, with a client certificate that may have ended not longer
 *   than the grace ago, and is good in every other respect.
 *
 * Errors are `{code, message, remedy, retryAfterMs?}`. An address whose requests fail too often waits.
 */
export class IdentityEndpoint {
  readonly #options: IdentityEndpointOptions;
  readonly #failures: AttemptLimiter;
  #running = 0;

  constructor(options: IdentityEndpointOptions) {
    this.#options = options;
    this.#failures = new AttemptLimiter({ ...FAILURES, clock: options.clock });
  }

  /** Answers a request, whatever it is. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    const address = request.socket.remoteAddress ?? 'unknown';
    this.#answer(request, response, address).catch((error: unknown) => {
      // The answer itself could not be written: the client is gone, or something is broken here.
      this.#options.logger.warn({ err: error, address }, 'a request could not be answered');
      request.socket.destroy();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, address: string): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?');
    try {
      if (path === '/v1/authority' && request.method === 'GET') {
        const text = authoritiesPem(this.#options.authority);
        send(response, { status: 200, type: 'application/x-pem-file', text, more: true });
      } else if (path === '/v1/join' && request.method === 'POST') {
        sendJson(response, 200, await this.#limited(address, () => this.#join(request, address)));
      } else if (path === '/v1/renew' && request.method === 'POST') {
        sendJson(response, 200, await this.#limited(address, () => this.#renew(request, address)));
      } else {
        const shown = `${request.method ?? ''} ${path.slice(0, 100)}`;
        throw new CloudCoreError('ERR_CLOUDCORE_BAD_REQUEST', `there is nothing at ${shown}`);
      }
    } catch (thrown) {
      this.#refuse(response, asRefusal(thrown));
    }
  }

  async #join(request: IncomingMessage, address: string): Promise<unknown> {
    const body = await readJsonBody(request, this.#options.clock);
    const pool = optionalTextField(body, 'pool');
    return await this.#options.enrollment.join(
      {
        token: textField(body, 'token'),
        csr: textField(body, 'csr'),
        node: textField(body, 'node'),
        ...(pool !== undefined && { pool }),
      },
      address,
    );
  }

  async #renew(request: IncomingMessage, address: string): Promise<unknown> {
    const peer = this.#verify(requestCertificate(request));
    const body = await readJsonBody(request, this.#options.clock);
    return await this.#options.enrollment.renew(peer, textField(body, 'csr'), address);
  }

  /** All checks of a session's certificate, but that its end may have passed, by the grace at most. */
  #verify(certificate: Uint8Array | undefined): PeerIdentity {
    const { authority, clock, graceMs, isRevoked } = this.#options;
    let notAfterMs = 0;
    try {
      return verifyPeer(certificate, {
        role: 'edge',
        authorities: authority.trusted,
        isRevoked: (identity) => {
          notAfterMs = identity.notAfterMs;
          return isRevoked(identity);
        },
        // Dates are checked last, so the end of the certificate is known here.
        wallMs: () => {
          const nowMs = clock.wallMs();
          return nowMs < notAfterMs + graceMs ? Math.min(nowMs, notAfterMs - 1) : nowMs;
        },
      });
    } catch (cause) {
      if (!(cause instanceof TunnelError)) throw cause;
      if (cause.code === 'ERR_TUNNEL_REJECTED') {
        throw new TransientRefusal('ERR_CLOUDCORE_UNAVAILABLE', cause.message, BUSY_RETRY_MS, { cause });
      }
      if (cause.code === 'ERR_TUNNEL_CERT_REVOKED') {
        throw new CloudCoreError('ERR_CLOUDCORE_NODE_REVOKED', cause.message, { cause });
      }
      const message = `the client certificate is refused: ${cause.message} (${cause.code})`;
      throw new CloudCoreError('ERR_CLOUDCORE_CLIENT_CERTIFICATE', message, { cause });
    }
  }

  async #limited(address: string, work: () => Promise<unknown>): Promise<unknown> {
    const key = addressKey(address);
    const waitMs = this.#failures.waitMs(key);
    if (waitMs > 0) {
      const message = 'too many requests from this address have failed';
      throw new TransientRefusal('ERR_CLOUDCORE_TOO_MANY_REQUESTS', message, waitMs);
    }
    if (this.#running >= MAX_CONCURRENT) {
      const message = 'too many nodes join or renew at this moment';
      throw new TransientRefusal('ERR_CLOUDCORE_TOO_MANY_REQUESTS', message, BUSY_RETRY_MS);
    }
    this.#running += 1;
    try {
      return await work();
    } catch (error) {
      if (httpStatusOf(asRefusal(error).code) < 500) this.#failures.count(key);
      throw error;
    } finally {
      this.#running -= 1;
    }
  }

  #refuse(response: ServerResponse, error: CloudCoreError): void {
    const status = httpStatusOf(error.code);
    if (status >= 500) this.#options.logger.error({ err: error, code: error.code }, 'a request failed');
    const body = refusalBody(error);
    if (body.retryAfterMs !== undefined) {
      response.setHeader('retry-after', Math.ceil(body.retryAfterMs / 1000));
    }
    sendJson(response, status, body);
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, { status, type: 'application/json', text: JSON.stringify(body), more: false });
}

/** @param answer `more`: another request may follow on this connection, if the client does not say otherwise */
function send(
  response: ServerResponse,
  answer: { status: number; type: string; text: string; more: boolean },
): void {
  const { status, type, text, more } = answer;
  response
    .writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      ...(!more && { connection: 'close' }),
    })
    .end(text);
}
