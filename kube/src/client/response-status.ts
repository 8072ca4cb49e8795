import { StatusError, type Status, type StatusReason } from '../status/status.ts';

/** Reasons for answers that carry no Status. Source: k8s.io/apimachinery api/errors NewGenericServerResponse. */
const REASONS: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const TEXT_SHOWN = 300;

/** Whether a decoded JSON value is a Status. */
export function isStatus(value: unknown): value is Status {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as { kind?: unknown }).kind === 'Status' &&
    typeof (value as { code?: unknown }).code === 'number'
  );
}

/**
 * The error for an answer that is not 2xx: the Status in its body, or one made from the HTTP status where a proxy
 * or the mux answered in plain text. A Retry-After header is kept as `details.retryAfterSeconds`.
 */
export function errorFromResponse(
  httpStatus: number,
  retryAfter: string | undefined,
  bodyText: string,
  about: string,
): StatusError {
  const status = parseStatus(bodyText) ?? genericStatus(httpStatus, bodyText, about);
  const seconds = retryAfterSeconds(retryAfter);
  if (seconds === undefined || status.details?.retryAfterSeconds !== undefined)
    return new StatusError(status);
  return new StatusError({ ...status, details: { ...status.details, retryAfterSeconds: seconds } });
}

/** Seconds of a Retry-After header; the date form (RFC 9110, 10.2.3) is not used by API servers and ignored. */
export function retryAfterSeconds(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

function parseStatus(text: string): Status | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isStatus(value) ? value : undefined;
  } catch {
    return undefined; // cut off or not JSON: the HTTP status says enough
  }
}

function genericStatus(code: number, text: string, about: string): Status {
  const shown = text.trim().slice(0, TEXT_SHOWN);
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `the server answered ${about} with ${code}${shown === '' ? '' : `: ${shown}`}`,
    reason: REASONS[code] ?? '',
    code,
  };
}

/** A list or watch asked for a version that the history no longer has (410, whichever way it was said). */
export function isExpired(error: unknown): boolean {
  return error instanceof StatusError && error.status.code === 410;
}

/**
 * The server has not reached the version asked for: it lags behind, or was restored from an older state.
 * Source: k8s.io/apimachinery api/errors IsTooLargeResourceVersion.
 */
export function isTooLargeVersion(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  const causes = error.status.details?.causes ?? [];
  return causes.some(({ reason }) => reason === 'ResourceVersionTooLarge');
}
