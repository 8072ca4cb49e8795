import { StatusError } from '@hawser/kube';
import { CLOUDCORE_ERRORS, CloudCoreError, type CloudCoreErrorCode } from '../errors.ts';

/** What a refused request is answered, JSON. */
export interface RefusalBody {
  /** A code of docs/errors.md. */
  readonly code: CloudCoreErrorCode;
  readonly message: string;
  readonly remedy: string;
  /** When it makes sense to ask again, milliseconds. */
  readonly retryAfterMs?: number;
}

/** HTTP status of each code that a request can meet; others are our own failure. */
const HTTP_STATUS: Partial<Record<CloudCoreErrorCode, number>> = {
  ERR_CLOUDCORE_BAD_REQUEST: 400,
  ERR_CLOUDCORE_CSR: 400,
  ERR_CLOUDCORE_NODE_NAME: 400,
  ERR_CLOUDCORE_CLIENT_CERTIFICATE: 401,
  ERR_CLOUDCORE_TOKEN: 401,
  ERR_CLOUDCORE_TOKEN_CLUSTER: 401,
  ERR_CLOUDCORE_TOKEN_EXPIRED: 401,
  ERR_CLOUDCORE_TOKEN_USED: 401,
  ERR_CLOUDCORE_NODE_REVOKED: 403,
  ERR_CLOUDCORE_TOKEN_BOUND: 403,
  ERR_CLOUDCORE_NODE_EXISTS: 409,
  ERR_CLOUDCORE_TOO_MANY_REQUESTS: 429,
  ERR_CLOUDCORE_UNAVAILABLE: 503,
};
const UNAVAILABLE_RETRY_MS = 5_000;

/** A refusal that will not last. */
export class TransientRefusal extends CloudCoreError {
  /** When it makes sense to ask again, milliseconds. */
  readonly retryAfterMs: number;

  constructor(code: CloudCoreErrorCode, message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(code, message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** HTTP status of a refusal. */
export function httpStatusOf(code: CloudCoreErrorCode): number {
  return HTTP_STATUS[code] ?? 500;
}

/**
 * Any thrown value as a refusal. What the API server says, or that it says nothing, is for our log and not for a
 * stranger: to them the hub is not available now.
 */
export function asRefusal(thrown: unknown): CloudCoreError {
  if (thrown instanceof CloudCoreError) return thrown;
  if (thrown instanceof StatusError || isClientError(thrown)) {
    const message = 'the hub cannot reach what it needs for this now';
    return new TransientRefusal('ERR_CLOUDCORE_UNAVAILABLE', message, UNAVAILABLE_RETRY_MS, {
      cause: thrown,
    });
  }
  return new CloudCoreError('ERR_CLOUDCORE_INTERNAL', 'the hub failed at this request', { cause: thrown });
}

/** The answer that goes with a refusal. */
export function refusalBody(error: CloudCoreError): RefusalBody {
  const { code, message } = error;
  const body = { code, message, remedy: CLOUDCORE_ERRORS[code].remedy };
  return error instanceof TransientRefusal ? { ...body, retryAfterMs: error.retryAfterMs } : body;
}

function isClientError(thrown: unknown): boolean {
  const code = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  return typeof code === 'string' && code.startsWith('ERR_KUBE_CLIENT_');
}
