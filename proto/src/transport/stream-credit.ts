import { deferred, type Deferred } from '@hawser/seams';

/** How many streams may still be opened; those beyond wait in order. */
export class StreamCredit {
  readonly #waiting: Deferred<void>[] = [];
  #credit: number;
  #failure: Error | undefined;

  constructor(credit: number) {
    this.#credit = credit;
  }

  /** Takes one, waiting while there is none. Rejects with the failure, or with `signal.reason`. */
  async take(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#credit > 0) {
      this.#credit -= 1;
      return;
    }
    const place = deferred();
    this.#waiting.push(place);
    const onAbort = (): void => {
      const at = this.#waiting.indexOf(place);
      if (at >= 0) this.#waiting.splice(at, 1);
      place.reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await place.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Gives more. Returns false where the sum is beyond reason. */
  add(credit: number): boolean {
    this.#credit += credit;
    while (this.#credit > 0) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#credit -= 1;
      next.resolve();
    }
    return this.#credit <= 2 ** 20;
  }

  /** Everybody who waits, or comes later, gets this error. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const place of this.#waiting.splice(0)) place.reject(error);
  }
}
