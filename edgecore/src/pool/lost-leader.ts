import type { Clock } from '@hawser/seams';
import type { PoolTimes } from './pool-times.ts';

/** What a {@link LostLeader} goes by. */
export interface LostLeaderOptions {
  readonly times: () => PoolTimes;
  readonly clock: Clock;
}

/** For how long a member has had no leader that it can go by, and what falls due then. Times are monotonic milliseconds. */
export class LostLeader {
  readonly #options: LostLeaderOptions;
  #sinceMs: number | undefined;
  /** Whether the leader was waited for long enough before that. */
  #bySilence = false;

  constructor(options: LostLeaderOptions) {
    this.#options = options;
  }

  /** Whether there is none. */
  get isLost(): boolean {
    return this.#sinceMs !== undefined;
  }

  /** Whether there has been none for so long that another way is gone. */
  get isGraceOver(): boolean {
    return this.isLost && this.graceEndsMs === Infinity;
  }

  /** When the grace ends; Infinity: it has, or there is a leader. */
  get graceEndsMs(): number {
    const endsMs = (this.#sinceMs ?? -Infinity) + this.#options.times().graceMs;
    return this.#options.clock.monotonicMs() < endsMs ? endsMs : Infinity;
  }

  /** From when the pool chooses another one by itself. */
  get chooseMs(): number {
    return (this.#sinceMs ?? Infinity) + (this.#bySilence ? 0 : this.#options.times().returnMs);
  }

  /** From when leave to go without one is asked for. */
  get askMs(): number {
    return (this.#sinceMs ?? Infinity) + this.#options.times().directAskMs;
  }

  /** Now there is none. @param silentSinceMs where it was waited for: since when */
  begin(silentSinceMs?: number): void {
    this.#sinceMs = silentSinceMs ?? this.#options.clock.monotonicMs();
    this.#bySilence = silentSinceMs !== undefined;
  }

  /** There is one. */
  end(): void {
    this.#sinceMs = undefined;
  }
}
