import { deferred, type Deferred } from '@hawser/seams';

/** Lets a few do something at a time, the others in the order in which they came. */
export class StartGate {
  readonly #limit: number;
  readonly #queue: Deferred<void>[] = [];
  #inside = 0;

  /** @param limit how many at a time */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Does it when it is its turn. @throws signal.reason if that comes before its turn; what `task` throws */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#inside < this.#limit) {
      this.#inside += 1;
      return;
    }
    const turn = deferred();
    const onAbort = (): void => {
      const index = this.#queue.indexOf(turn);
      if (index === -1) return; // its turn has come
      this.#queue.splice(index, 1);
      turn.reject(signal.reason);
    };
    this.#queue.push(turn);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#inside -= 1;
    else next.resolve();
  }
}
