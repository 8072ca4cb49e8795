/** What became of an Upstream. */
export interface UpstreamOutcome {
  /** 0: done and durable. Otherwise an HTTP status as the Kubernetes API uses them. */
  readonly status: number;
  readonly message?: string;
  /** For 429 and 5xx: when to try again, milliseconds. */
  readonly retryAfterMs?: number;
  /** Answer to a kind that asks for something, packed. */
  readonly body?: Uint8Array;
}

/** Takes what an edge reports. Never rejects: what goes wrong is an outcome. */
export interface UpstreamHandler {
  /**
   * @param node the node in the edge's verified certificate
   * @param kind kind of the Upstream; an unknown one is answered with 400
   * @param body packed JSON, untrusted
   * @param signal aborts when the session ends; what was not begun is given up
   */
  handle(node: string, kind: string, body: Uint8Array, signal: AbortSignal): Promise<UpstreamOutcome>;
}
