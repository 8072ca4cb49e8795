import { RuntimeError } from '../runtime/runtime-error.ts';

/** Lets a bounded number of calls be on their way at once; as many others wait in line, first come first served. */
export class CallSlots {
  readonly #limit: number;
  readonly #limitWaiting: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  /** @param limitWaiting calls that may wait; what comes then is refused */
  constructor(limit: number, limitWaiting: number) {
    this.#limit = limit;
    this.#limitWaiting = limitWaiting;
  }

  /** Calls on their way, and calls that wait. */
  get load(): { readonly taken: number; readonly waiting: number } {
    return { taken: this.#taken, waiting: this.#waiting.size };
  }

  /**
   * Takes a place; resolves with what gives it back (once: again does nothing).
   * @throws RuntimeError `ERR_EDGECORE_RUNTIME` when too many wait; `signal.reason`
   */
  async take(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#taken < this.#limit) this.#taken += 1;
    else await this.#wait(signal);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const [next] = this.#waiting;
      // The place goes to the next in line, and is not free in between.
      if (next === undefined) this.#taken -= 1;
      else next();
    };
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.size >= this.#limitWaiting) {
      const message = `${this.#limit} calls are on their way to the runtime and ${this.#waiting.size} wait`;
      return Promise.reject(new RuntimeError('ERR_EDGECORE_RUNTIME', message));
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(go);
        signal?.removeEventListener('abort', onAbort);
      };
      const go = (): void => {
        leave();
        resolve();
      };
      const onAbort = (): void => {
        leave();
        reject(signal?.reason as Error);
      };
      this.#waiting.add(go);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
