/** How long a refusal of streaming lists is believed: servers get upgraded. */
const REFUSAL_BELIEVED_MS = 30 * 60_000;

/**
 * What was learned about one API server, shared by all reflectors that use it, so that each does not have to
 * be refused on its own.
 */
export class ServerFacts {
  #streamingRefusedAtMs: number | undefined;

  /** Whether a streaming list is worth a try. `nowMs`: monotonic. */
  mayStreamLists(nowMs: number): boolean {
    return (
      this.#streamingRefusedAtMs === undefined || nowMs - this.#streamingRefusedAtMs >= REFUSAL_BELIEVED_MS
    );
  }

  /** The server refused a streaming list, or did not understand it; believed for 30 minutes. */
  streamingListsRefused(nowMs: number): void {
    this.#streamingRefusedAtMs = nowMs;
  }
}
