import type { Clock } from '@hawser/seams';
import { StartGate } from '../pods/start-gate.ts';

/** What a {@link SharedPulls} needs. */
export interface SharedPullsOptions {
  /** Pulls at a time; the others wait in the order in which they came. */
  readonly limit: number;
  readonly clock: Clock;
}

/** A pull that is over. */
export interface PullResult {
  /** What the runtime calls the image. */
  readonly ref: string;
  /** How long it took, milliseconds, without waiting for other pulls. */
  readonly pullMs: number;
}

interface SharedPull {
  readonly result: Promise<PullResult>;
  readonly controller: AbortController;
  waiters: number;
}

/**
 * Pulls of images, a few at a time. Whoever wants the same as another one at the same time waits for the same pull;
 * it is given up when nobody waits for it any more.
 */
export class SharedPulls {
  readonly #clock: Clock;
  readonly #gate: StartGate;
  readonly #pulls = new Map<string, SharedPull>();

  constructor(options: SharedPullsOptions) {
    this.#clock = options.clock;
    this.#gate = new StartGate(options.limit);
  }

  /**
   * Pulls, or waits for who does.
   * @param key what is pulled, login included
   * @param start pulls it; called when it is its turn
   * @param signals whichever is aborted first ends the waiting: rejects with its reason
   */
  pull(
    key: string,
    start: (signal: AbortSignal) => Promise<string>,
    signals: readonly AbortSignal[],
  ): Promise<PullResult> {
    const aborted = signals.find((signal) => signal.aborted);
    if (aborted !== undefined) return Promise.reject(aborted.reason as Error);
    const pull = this.#pulls.get(key) ?? this.#begin(key, start);
    pull.waiters += 1;
    return new Promise((resolve, reject) => {
      const leave = (event: Event): void => {
        const reason = (event.target as AbortSignal).reason as Error;
        forget();
        reject(reason);
        pull.waiters -= 1;
        if (pull.waiters > 0) return;
        this.#forget(key, pull); // whoever comes now begins anew
        pull.controller.abort(reason);
      };
      const forget = (): void => {
        for (const signal of signals) signal.removeEventListener('abort', leave);
      };
      for (const signal of signals) signal.addEventListener('abort', leave);
      pull.result.finally(forget).then(resolve, reject);
    });
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<string>): SharedPull {
    const controller = new AbortController();
    const result = this.#run(start, controller.signal).finally(() => this.#forget(key, pull));
    const pull: SharedPull = { result, controller, waiters: 0 };
    result.catch(() => {}); // everybody who waited may have left
    this.#pulls.set(key, pull);
    return pull;
  }

  #forget(key: string, pull: SharedPull): void {
    if (this.#pulls.get(key) === pull) this.#pulls.delete(key);
  }

  #run(start: (signal: AbortSignal) => Promise<string>, signal: AbortSignal): Promise<PullResult> {
    return this.#gate.run(async () => {
      const startedMs = this.#clock.monotonicMs();
      const ref = await start(signal);
      return { ref, pullMs: this.#clock.monotonicMs() - startedMs };
    }, signal);
  }
}
