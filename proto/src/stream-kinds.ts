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
} as const;
