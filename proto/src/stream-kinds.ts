/**
 * Kinds of the streams that edge cores and hubs open to each other, beside the tunnel's own. Both ends import them
 * from here.
 */
export const STREAM_KINDS = {
  /**
   * From the hub, on the bulk connection: one HTTP/1.1 connection to the kubelet API of the node, for one request, or
   * for one upgrade and the bytes after it.
   */
  kubelet: 'kubelet',
  /**
   * From the edge, on the bulk connection: one HTTP/1.1 connection to the API server, for one request of a program at
   * the edge, or for one upgrade and the bytes after it. See `CALLER_HEADER`. The hub answers 102 as soon as it has the
   * head of a request: one of a release before does not take such streams, and says nothing at all.
   */
  api: 'api',
} as const;
