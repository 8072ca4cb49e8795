import { deferred, type Deferred } from '@hawser/seams';

/** Something that holds or does not, and may cease to hold: any number may wait until it does. */
export class Gate {
  readonly #waiting = new Set<Deferred<void>>();
  #open: boolean;
  #failure: Error | undefined;

  constructor(open = false) {
    this.#open = open;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Lets all go on who wait, and who comes; without effect after {@link fail}. */
  open(): void {
    if (this.#failure !== undefined) return;
    this.#open = true;
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Who comes from now on waits. */
  close(): void {
    this.#open = false;
  }

  /** It will not open any more: who waits hears this, and, where it is not open, who comes. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  /** Resolves once it is open. Errors: `signal.reason`; that of {@link fail}. */
  async wait(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    while (!this.#open) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#wait(signal);
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
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
