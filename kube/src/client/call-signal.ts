import type { Clock, Timer } from '@hawser/seams';

/**
 * The abort signal of one call: fires with the caller's signal (and its reason) or with a time-out's error,
 * whichever comes first. Unlike `AbortSignal.any` it can be let go, so that a signal that lives as long as the
 * process does not collect a listener for each call.
 */
export class CallSignal {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #parent: AbortSignal | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, parent?: AbortSignal) {
    this.#clock = clock;
    this.#parent = parent;
    if (parent?.aborted === true) this.#onParentAbort();
    else parent?.addEventListener('abort', this.#onParentAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts with `error()` unless disarmed within `timeoutMs`. Replaces an earlier time-out. */
  arm(timeoutMs: number, error: () => Error): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(timeoutMs, () => this.abort(error()));
  }

  /** Takes the time-out back. */
  disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Aborts with this reason; without effect when aborted already. */
  abort(reason: unknown): void {
    this.release();
    this.#controller.abort(reason);
  }

  /** Forgets the caller's signal and the time-out. Idempotent. */
  release(): void {
    this.disarm();
    this.#parent?.removeEventListener('abort', this.#onParentAbort);
  }

  readonly #onParentAbort = (): void => {
    this.abort(this.#parent?.reason);
  };
}
