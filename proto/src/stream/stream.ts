/**
 * One stream of bytes in both directions, flow-controlled by its reader. Chunk borders carry no meaning.
 *
 * Errors of all operations: `ERR_TUNNEL_STREAM_RESET` (the peer gave the stream up), `ERR_TUNNEL_ABORTED` (this
 * side did), `ERR_TUNNEL_CONNECTION_LOST` or `ERR_TUNNEL_CLOSED` (the connection ended). An aborted signal rethrows
 * its reason and leaves the stream as it was, except that an aborted write resets it: half a write has no meaning.
 */
export interface Stream extends AsyncIterable<Uint8Array> {
  /** Number of the stream in its connection, for logs. */
  readonly id: number;
  /** What it is for, as its opener said. */
  readonly kind: string;
  /** Next bytes, or undefined at the end of what the peer sends. One read at a time. */
  read(options?: { signal?: AbortSignal }): Promise<Uint8Array | undefined>;
  /**
   * Sends bytes; resolves when the next write makes sense (back-pressure). The caller must not change `data`
   * until then. Writes are sent in the order of the calls.
   */
  write(data: Uint8Array, options?: { signal?: AbortSignal }): Promise<void>;
  /** Ends the sending direction after what was written; reading goes on. Idempotent. */
  end(): Promise<void>;
  /** Gives up both directions at once; unsent and unread bytes are dropped. Idempotent, and harmless after the end. */
  reset(): void;
  /** Resolves when both directions have ended, with the error if not in good order. Never rejects. */
  readonly closed: Promise<Error | undefined>;
}

/** Reads a stream chunk by chunk; leaving the loop early resets it. */
export async function* readAll(stream: Stream): AsyncGenerator<Uint8Array, void, undefined> {
  let ended = false;
  try {
    for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) yield chunk;
    ended = true;
  } finally {
    if (!ended) stream.reset();
  }
}
