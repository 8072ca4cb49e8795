import { KubeError } from '../errors.ts';

/** What can go wrong between a client and an API server without the server having answered with a Status. */
export type ClientErrorCode =
  /** The server could not be reached, or the connection broke. */
  | 'ERR_KUBE_CLIENT_CONNECTION'
  /** No answer (or not all of it) within the time-out. */
  | 'ERR_KUBE_CLIENT_TIMEOUT'
  /** The answer is not what the API promises: no JSON, a watch event without an object, a version that went back. */
  | 'ERR_KUBE_CLIENT_BAD_RESPONSE'
  /** The answer, or one event of a watch, is larger than the limit. */
  | 'ERR_KUBE_CLIENT_TOO_LARGE'
  /** A watch lasted longer than the server was asked to keep it, or never delivered its initial events. */
  | 'ERR_KUBE_CLIENT_STALLED'
  /** The client (informer, queue, elector) was closed before. */
  | 'ERR_KUBE_CLIENT_CLOSED'
  /** The settings contradict each other or are incomplete. */
  | 'ERR_KUBE_CLIENT_CONFIG'
  /** A bound was reached (keys in a workqueue). */
  | 'ERR_KUBE_CLIENT_FULL';

/** An error of the client itself; a refusal by the server is a `StatusError`. */
export class ClientError extends KubeError {
  override readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions & { about?: string }) {
    super(code, message, options);
    this.code = code;
  }
}
