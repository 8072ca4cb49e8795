/**
 * How much of a scope may be on its way, and how much one message has; both sides keep to it. Part of the protocol:
 * see docs/sync.md, "Window".
 */
export const SYNC_WINDOW = {
  /** Batches that are not acknowledged. */
  batches: 4,
  /** Bytes of their `Delta.body`; one batch always may go. */
  bytes: 1024 * 1024,
  /** Bytes of one batch, but for a batch of one object. */
  batchBytes: 256 * 1024,
  /** Bytes of one object as it travels, packed; a frame has 4 MiB at most. */
  objectBytes: 3.5 * 1024 * 1024,
  /** Objects of a scope. */
  objects: 100_000,
} as const;
