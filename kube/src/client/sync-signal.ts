import { deferred, type Deferred } from '@hawser/seams';

/** "It has happened once": any number may wait for it, each with its own signal. Fails or succeeds, once. */
export class SyncSignal {
  readonly #waiting = new Set<Deferred<void>>();
  #done = false;
  #failure: Error | undefined;

  get done(): boolean {
    return this.#done;
  }

  succeed(): void {
    if (this.#done || this.#failure !== undefined) return;
    this.#done = true;
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Without effect after success. */
  fail(error: Error): void {
    if (this.#done || this.#failure !== undefined) return;
    this.#failure = error;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  /** Errors: that of {@link fail}; `signal.reason`. */
  async wait(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#done) return;
    if (this.#failure !== undefined) throw this.#failure;
    const waiter: Deferred<void> = deferred();
    const onAbort = (): void => waiter.reject(signal?.reason);
    this.#waiting.add(waiter);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await waiter.promise;
    } finally {
      this.#waiting.delete(waiter);
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
