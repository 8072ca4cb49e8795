/** One message that waits for the cloud. */
export interface OutboxEntry {
  /** `<kind>/<what it is about>`: of two entries with one key the later one counts. Events have keys of their own. */
  readonly key: string;
  /** Kind of Upstream: see `UPSTREAM_KINDS`. */
  readonly kind: string;
  /** Grows with each entry that is made at this edge, over restarts too. */
  readonly order: number;
  /** Packed body. */
  readonly body: Uint8Array;
  /** Whether it must not be lost to make place for others (status); events may be, oldest first, and are counted. */
  readonly keep: boolean;
}

/** Where an outbox puts what has to survive a power cut. Every implementation passes `describeOutboxStore`. */
export interface OutboxStore {
  /** All entries, in their order. */
  load(): Promise<readonly OutboxEntry[]>;
  /** Makes `put` durable and forgets `remove`, together or not at all. An entry replaces one of its key. */
  write(change: { readonly put: readonly OutboxEntry[]; readonly remove: readonly string[] }): Promise<void>;
}
