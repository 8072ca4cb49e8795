import type { Clock } from '@hawser/seams';
import type { PoolTimes } from './pool-times.ts';

/** What a {@link LostLeader} goes by. */
export interface LostLeaderOptions {
  readonly times: () => PoolTimes;
  /** Whether there is to be none: then nobody is waited for. */
  readonly leaderless: () => boolean;
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

  /** Whether there has been none for so long that readers are to know. */
  get isGraceOver(): boolean {
    return this.isLost && this.graceEndsMs === Infinity;
  }

  /** Whether the member may go another way now. */
  get mayGoOn(): boolean {
    return this.isGraceOver || (this.isLost && this.#options.leaderless());
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
    const { times, leaderless } = this.#options;
    return (this.#sinceMs ?? Infinity) + (leaderless() ? 0 : times().directAskMs);
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
