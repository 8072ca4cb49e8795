/** Why a request was not passed on, as metrics count it. */
export type KubeletRefusalReason =
  /** No client certificate, or one that the client authority has not signed. */
  | 'unauthenticated'
  /** A SubjectAccessReview said no. */
  | 'denied'
  /** The review could not be asked for, or the client authority is not known yet. */
  | 'unreviewed'
  /** No kubelet's path, or not with this method. */
  | 'path'
  /** The pod is not bound to this node. */
  | 'pod'
  /** The node has no session here. */
  | 'no-session'
  /** As many requests as there may be are under way. */
  | 'overloaded'
  /** The tunnel or the edge core failed before it answered. */
  | 'edge'
  /** The edge core did not answer in time. */
  | 'timeout'
  /** The hub stops. */
  | 'stopping';

/** Ends a request with an answer of the hub's own. Never leaves the endpoint. */
export class KubeletRefusal extends Error {
  override readonly name = 'KubeletRefusal';
  /** HTTP status. */
  readonly status: number;
  readonly reason: KubeletRefusalReason;

  /** @param message names the node, the cause and the way out, in plain text: kubectl shows it to people */
  constructor(status: number, reason: KubeletRefusalReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.reason = reason;
  }
}
