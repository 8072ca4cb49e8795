/**
 * Small values of the edge's own that survive a restart: which cluster it has accepted, the last epoch, counters,
 * tokens. All of them are in memory too: at most 64 KiB each, and 4 MiB together.
 */
export interface StateStore {
  /** The value, as it is on disk. Not to be changed. */
  get(key: string): Uint8Array | undefined;
  /** All keys with values, in no particular order. */
  keys(): readonly string[];
  /**
   * Makes a value durable; resolves when it is, at once and without a write where it is already. Calls take effect in
   * their order.
   * @throws EdgeCoreError `ERR_EDGE_STORE_VALUE` (too large), and those of every write.
   */
  set(key: string, bytes: Uint8Array, options?: { readonly secret?: boolean }): Promise<void>;
  /** Forgets a value, if there is one. @throws EdgeCoreError those of every write. */
  delete(key: string): Promise<void>;
}
