import type { Clock } from '@hawser/seams';
import type { PoolHub } from '../edge-pool-types.ts';
import type { PoolTimes } from './pool-times.ts';

/** What a {@link HubPulse} is made of. */
export interface HubPulseOptions {
  readonly hub: Pick<PoolHub, 'usable' | 'heardMs' | 'ping'>;
  readonly times: () => PoolTimes;
  /** Something may have changed. */
  readonly onChange: () => void;
  readonly clock: Clock;
}

/**
 * Whether the hub can be heard now. While it matters, a hub that is silent is asked for a sign of life; while it does
 * not, the session is believed.
 */
export class HubPulse {
  readonly #options: HubPulseOptions;
  #needed = false;
  #sinceMs = -Infinity;
  #asking = false;

  constructor(options: HubPulseOptions) {
    this.#options = options;
  }

  /** Whether the hub is there, by what is known now. */
  get fresh(): boolean {
    const { hub, times } = this.#options;
    return hub.usable && (!this.#needed || this.#silentMs() < times().hubLostMs);
  }

  /** Milliseconds since the hub was heard, for others; below 0: never. */
  get cloudMs(): number {
    const { hub, clock } = this.#options;
    if (!Number.isFinite(hub.heardMs)) return -1;
    return Math.max(0, Math.round(clock.monotonicMs() - hub.heardMs));
  }

  /** Looks after it. @param needed whether it matters now @returns when to look again, monotonic milliseconds */
  look(needed: boolean): number {
    const { hub, clock, times } = this.#options;
    const nowMs = clock.monotonicMs();
    // A session that nobody has watched may be silent for good reasons.
    if (needed && !this.#needed) this.#sinceMs = nowMs;
    this.#needed = needed;
    if (!needed || !hub.usable) return Infinity;
    const { hubPingMs, hubLostMs } = times();
    const silentMs = this.#silentMs();
    if (nowMs - hub.heardMs >= hubPingMs) this.#ask();
    if (silentMs >= hubLostMs) return nowMs + hubPingMs;
    return nowMs + (silentMs < hubPingMs ? hubPingMs - silentMs : hubLostMs - silentMs);
  }

  #silentMs(): number {
    const { hub, clock } = this.#options;
    return clock.monotonicMs() - Math.max(hub.heardMs, this.#sinceMs);
  }

  #ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#options.hub
      .ping()
      .catch(() => {}) // the session ends, which shows in it
      .finally(() => {
        this.#asking = false;
        this.#options.onChange();
      });
  }
}
