import { ClientError, StatusError } from '@hawser/kube';
import type { UpstreamOutcome } from './upstream-handler.ts';

/** Why a message was not taken, as metrics count it. */
export type RefusalReason =
  /** The kind is not known. */
  | 'unknown-kind'
  /** The body is not what the kind says, too large, or nested too deep. */
  | 'malformed'
  /** It is about an object of somebody else. */
  | 'not-yours'
  /** The object is not there any more, or another one has its name. */
  | 'gone'
  /** The object is not in a state in which this can be. */
  | 'state'
  /** Too many messages: of this node, or of all. */
  | 'overloaded'
  /** The API server found the content invalid. */
  | 'api-invalid'
  /** Others wrote the object at the same time, again and again. */
  | 'conflict'
  /** The API server does not let the hub do this: its rights are incomplete. */
  | 'api-denied'
  /** The API server cannot be reached, or fails. */
  | 'api-down'
  /** What it asks for is not configured at this hub. */
  | 'not-configured'
  /** Whoever uploads go to cannot be reached, fails, or does not take it. */
  | 'upload'
  /** The session has ended, or the hub stops. */
  | 'ended'
  /** A bug of ours. */
  | 'internal';

/** Ends the work on a message with an outcome other than success. Never leaves the router. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly reason: RefusalReason;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: RefusalReason, message: string, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The edge need not say it again: done and durable. */
export const DONE: UpstreamOutcome = { status: 0 };

/**
 * What a failure means for the edge. It drops a message only where trying again cannot help: what is wrong with the
 * message (400, 403, 404, 413, 422) is told as it is; what is wrong in the cloud is told as 503, a lack of rights of
 * the hub included, so that nothing is lost.
 */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StatusError) return ofStatus(error);
  if (error instanceof ClientError) return new Refusal(503, 'api-down', 'the API server cannot be reached');
  const message = error instanceof Error ? error.message : String(error);
  return new Refusal(500, 'internal', message);
}

function ofStatus(error: StatusError): Refusal {
  const { code, details } = error.status;
  const retryAfterMs =
    details?.retryAfterSeconds === undefined ? undefined : details.retryAfterSeconds * 1000;
  switch (code) {
    case 400:
    case 413:
    case 422:
      return new Refusal(code, 'api-invalid', error.message);
    case 401:
    case 403:
      return new Refusal(503, 'api-denied', 'the API server does not let the hub do this');
    case 404:
    case 410:
      return new Refusal(404, 'gone', error.message);
    case 409:
      return new Refusal(409, 'conflict', error.message);
    case 429:
      return new Refusal(429, 'overloaded', 'the API server is busy', retryAfterMs);
    default:
      return new Refusal(503, 'api-down', `the API server answered ${code}`, retryAfterMs);
  }
}

/** Whether the API refused because the namespace of the object is on its way out. */
export function isNamespaceEnding(error: unknown): boolean {
  if (!(error instanceof StatusError) || error.status.code !== 403) return false;
  return (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating');
}
