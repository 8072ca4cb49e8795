import { failure, serviceUnavailable, timeout, type StatusError } from '@hawser/kube';
import { TunnelError } from '@hawser/proto';

/** How far a request had come when it failed. */
export interface RequestProgress {
  /** Whether the hub has said that it has the request. */
  readonly taken: boolean;
  /** Whether repeating it changes nothing. */
  readonly repeatable: boolean;
}

/** There is no session, or none that could carry anything. Clients may try again by themselves. */
export function noCloud(why: string, options?: ErrorOptions): StatusError {
  const text = `this node does not reach the API server now: ${why}`;
  return failure(503, 'ServiceUnavailable', text, { retryAfterSeconds: 1 }, options);
}

/** The hub takes no such streams. That does not heal by itself soon: clients are not told to try again. */
export function notServed(options?: ErrorOptions): StatusError {
  const text =
    'the hub does not carry requests of programs at edges to the API server: it is of an earlier release, or ' +
    'apiAccess.enabled is false there';
  return serviceUnavailable(text, options);
}

/** What the local API answers for a request whose stream failed before there was an answer. */
export function failedOnTheWay(cause: Error, { taken, repeatable }: RequestProgress): StatusError {
  const code = cause instanceof TunnelError ? cause.code : undefined;
  if (code === 'ERR_TUNNEL_STREAM_RESET' && !taken) return notServed({ cause });
  const why =
    code === 'ERR_TUNNEL_CONNECTION_LOST' || code === 'ERR_TUNNEL_CLOSED'
      ? 'the session with the hub ended'
      : `the way to the hub failed: ${cause.message}`;
  if (repeatable) return noCloud(why, { cause });
  // Whoever repeats it by itself might do it twice.
  return failure(
    504,
    'Timeout',
    `${why} before there was an answer; whether the request was carried out is not known`,
    {},
    { cause },
  );
}

/** The hub has the request, and no answer came. */
export function noAnswer(headerMs: number, repeatable: boolean): StatusError {
  return timeout(`no answer from the API server within ${headerMs / 1000} s`, repeatable ? 1 : undefined);
}
