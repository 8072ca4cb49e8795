import { failure, type Status, type StatusReason } from '@hawser/kube';

/** Why a request was not carried to the API server, as metrics count it. */
export type AccessRefusalReason =
  /** Method, path or headers are not carried. */
  | 'head'
  /** The body is larger than one may be. */
  | 'too-large'
  /** The caller is no service account, or none that a pod of the node runs as. */
  | 'caller'
  /** The node was revoked, or has a newer session. */
  | 'session'
  /** As many requests as there may be are under way. */
  | 'overloaded'
  /** No token of the account could be had. */
  | 'token'
  /** The API server does not answer, or its answer broke off before it began. */
  | 'api-down'
  /** The API server did not answer in time. */
  | 'timeout'
  /** The hub stops. */
  | 'stopping';

/** What a refusal says beside its text. */
export interface AccessRefusalOptions extends ErrorOptions {
  /** Source: apimachinery, meta/v1 StatusReason. */
  readonly statusReason: StatusReason;
  /** When a client may try again by itself, seconds. Default: it is not said. */
  readonly retryAfterSeconds?: number;
}

/** Ends a request with an answer of the hub's own: a Status. Never leaves the folder. */
export class AccessRefusal extends Error {
  override readonly name = 'AccessRefusal';
  readonly reason: AccessRefusalReason;
  readonly status: Status;

  /** @param message names the node, the cause and the way out, in plain text */
  constructor(code: number, reason: AccessRefusalReason, message: string, options: AccessRefusalOptions) {
    const { statusReason, retryAfterSeconds } = options;
    super(message, options);
    this.reason = reason;
    const details = retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
    this.status = failure(code, statusReason, message, details).status;
  }
}

/** 403. */
export function forbiddenCaller(reason: 'caller' | 'session', message: string): AccessRefusal {
  return new AccessRefusal(403, reason, message, { statusReason: 'Forbidden' });
}

/** 503 that a client may try again after a second. */
export function unavailable(
  reason: 'token' | 'api-down' | 'stopping' | 'session',
  message: string,
  options?: ErrorOptions,
): AccessRefusal {
  return new AccessRefusal(503, reason, message, {
    ...options,
    statusReason: 'ServiceUnavailable',
    retryAfterSeconds: 1,
  });
}

/** 429. */
export function overloaded(message: string): AccessRefusal {
  return new AccessRefusal(429, 'overloaded', message, {
    statusReason: 'TooManyRequests',
    retryAfterSeconds: 1,
  });
}

/** 504 of which nobody knows whether the request was carried out: clients do not repeat it by themselves. */
export function unanswered(
  reason: 'timeout' | 'api-down',
  message: string,
  options?: ErrorOptions,
): AccessRefusal {
  return new AccessRefusal(504, reason, message, { ...options, statusReason: 'Timeout' });
}
