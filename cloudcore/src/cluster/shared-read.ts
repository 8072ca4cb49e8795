interface Reading<T> {
  readonly startedMs: number;
  readonly value: Promise<T>;
}

/** Settings of {@link SharedRead}. */
export interface SharedReadOptions<T> {
  /** Reads the value anew. Not tied to a caller: the signal aborts when the owner closes it. */
  readonly read: (signal: AbortSignal) => Promise<T>;
  /** Monotonic time, milliseconds. */
  readonly nowMs: () => number;
}

/**
 * A value that many ask for at a time, read few times: who asks for one of a certain age gets a reading that has
 * begun since, and joins the next one where the present one is too old. Failures are shared too, and not kept.
 */
export class SharedRead<T> {
  readonly #options: SharedReadOptions<T>;
  readonly #closing = new AbortController();
  /** The last reading that has begun and did not fail. */
  #latest: Reading<T> | undefined;
  /** Whether `latest` is still under way. */
  #reading = false;
  /** Those who wait for the reading after the present one. */
  #next: Promise<T> | undefined;

  constructor(options: SharedReadOptions<T>) {
    this.#options = options;
  }

  /**
   * A reading that began at most `maxAgeMs` before the call; 0: not before it.
   * Errors: those of the reading.
   */
  get(maxAgeMs: number): Promise<T> {
    const latest = this.#latest;
    if (latest !== undefined && maxAgeMs > 0 && this.#options.nowMs() - latest.startedMs <= maxAgeMs) {
      return latest.value;
    }
    if (!this.#reading) return this.#begin();
    this.#next ??= this.#afterPresent();
    return this.#next;
  }

  /** Readings of the past are not believed any more. */
  forget(): void {
    this.#latest = undefined;
  }

  /** Gives up what is under way. */
  close(reason: Error): void {
    this.#closing.abort(reason);
  }

  async #afterPresent(): Promise<T> {
    await this.#present;
    this.#next = undefined;
    return this.#begin();
  }

  /** Settles, never rejects, when the present reading has ended. */
  #present: Promise<unknown> = Promise.resolve();

  #begin(): Promise<T> {
    this.#reading = true;
    const reading = { startedMs: this.#options.nowMs(), value: this.#options.read(this.#closing.signal) };
    this.#latest = reading;
    this.#present = reading.value
      .catch(() => {
        // Whoever asked hears of it; the next one is to try again.
        if (this.#latest === reading) this.#latest = undefined;
      })
      .finally(() => {
        this.#reading = false;
      });
    return reading.value;
  }
}
