import type { Clock } from '@hawser/seams';

/** One thing that has to work. */
export interface HealthProbe {
  readonly name: string;
  /** Why it does not work; undefined: it does. */
  readonly check: () => string | undefined;
}

/** How long the event loop may take to come round before it counts as stuck, milliseconds. */
const ROUND_MS = 5_000;

/**
 * Whether this process works, for the watchdog: the event loop comes round, and every probe is content. A disk that
 * fails or a cloud that is gone is no reason: a restart heals neither, and pods go on.
 */
export class SelfCheck {
  readonly #clock: Clock;
  readonly #probes: readonly HealthProbe[];

  constructor(options: { readonly clock: Clock; readonly probes: readonly HealthProbe[] }) {
    this.#clock = options.clock;
    this.#probes = options.probes;
  }

  /** What does not work, one sentence each; empty: all does. */
  async problems(): Promise<readonly string[]> {
    const startedMs = this.#clock.monotonicMs();
    await new Promise<void>((resolve) => setImmediate(resolve));
    const tookMs = this.#clock.monotonicMs() - startedMs;
    const slow = tookMs > ROUND_MS ? [`the event loop took ${Math.round(tookMs)} ms to come round`] : [];
    const failed = this.#probes.map(({ name, check }) => {
      const why = check();
      return why === undefined ? undefined : `${name}: ${why}`;
    });
    return [...slow, ...failed.filter((why) => why !== undefined)];
  }
}
