/**
 * Small things that an edge remembers over restarts, as JSON values by key: `pod-status/<uid>`, `token/…`. The store of
 * the edge is behind it.
 */
export interface JsonState {
  /** undefined where there is none, or where what is there cannot be read any more. */
  read(key: string): Promise<unknown>;
  /** Every value whose key begins with `prefix`, by its key. */
  readAll(prefix: string): Promise<ReadonlyMap<string, unknown>>;
  /**
   * Makes a value durable.
   * @param options.secret whether it is encrypted on disk. Default false
   */
  write(key: string, value: unknown, options?: { readonly secret?: boolean }): Promise<void>;
  /** Forgets it, durably. Not there: nothing to do. */
  remove(key: string): Promise<void>;
}
