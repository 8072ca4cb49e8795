/** What an entry costs beside its bytes: key, map slot, objects. A bound on bytes alone would let in endless empty ones. */
const ENTRY_OVERHEAD_BYTES = 256;

/** Keeps what was used last, up to a number of bytes. */
export class LruBytes<Value> {
  readonly #maxBytes: number;
  readonly #sizeOf: (value: Value) => number;
  readonly #entries = new Map<string, Value>();
  #bytes = 0;

  constructor(maxBytes: number, sizeOf: (value: Value) => number) {
    this.#maxBytes = maxBytes;
    this.#sizeOf = sizeOf;
  }

  /** What all entries cost, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry, which is now the last to go. */
  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  /** Adds or replaces. What is larger than all that may be kept is not. */
  set(key: string, value: Value): void {
    this.delete(key);
    const cost = this.#costOf(value);
    if (cost > this.#maxBytes) return;
    this.#entries.set(key, value);
    this.#bytes += cost;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= this.#costOf(value);
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #costOf(value: Value): number {
    return this.#sizeOf(value) + ENTRY_OVERHEAD_BYTES;
  }
}
