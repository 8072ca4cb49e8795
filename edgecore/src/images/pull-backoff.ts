import type { Clock } from '@hawser/seams';

/** Source: kubelet, pkg/kubelet/kubelet.go, imageBackOffPeriod and MaxImageBackOff. */
const FIRST_MS = 10_000;
const LONGEST_MS = 5 * 60_000;
/** What failed last this long ago begins anew. Source: client-go, util/flowcontrol/backoff.go. */
const FORGOTTEN_MS = 2 * LONGEST_MS;
/** Failures that are remembered; the oldest are forgotten first. */
const MOST = 1024;

interface Failure {
  readonly delayMs: number;
  readonly atMs: number;
  readonly message: string;
}

/** How long to leave alone what has failed: 10 s, doubled each time up to 5 min, without chance in it. */
export class PullBackoff {
  readonly #clock: Clock;
  /** The latest last. */
  readonly #failures = new Map<string, Failure>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It has failed just now. */
  failed(key: string, message: string): void {
    const atMs = this.#clock.monotonicMs();
    const before = this.#failures.get(key);
    this.#failures.delete(key);
    const isNew = before === undefined || atMs - before.atMs > FORGOTTEN_MS;
    const delayMs = isNew ? FIRST_MS : Math.min(before.delayMs * 2, LONGEST_MS);
    this.#failures.set(key, { delayMs, atMs, message });
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MOST) break;
      this.#failures.delete(oldest);
    }
  }

  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  /** What its last failure said while it is to be left alone; undefined: it may be tried. */
  waiting(key: string): string | undefined {
    return this.waitMs(key) > 0 ? this.#failures.get(key)?.message : undefined;
  }

  /** How long it is still to be left alone, milliseconds; 0: it may be tried. */
  waitMs(key: string): number {
    const failure = this.#failures.get(key);
    if (failure === undefined) return 0;
    return Math.max(0, failure.atMs + failure.delayMs - this.#clock.monotonicMs());
  }
}
