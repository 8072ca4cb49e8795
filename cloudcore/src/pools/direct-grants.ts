import { randomBelow, type Clock, type Random, type Timer } from '@hawser/seams';
import type { UpstreamAnswers } from '@hawser/sync';
import { Refusal } from '../upstream/outcome.ts';
import type { PoolTimes } from './pool-times.ts';

/** Settings of {@link DirectGrants}. */
export interface DirectGrantsOptions {
  readonly times: PoolTimes;
  readonly clock: Clock;
  readonly random: Random;
  /** A grant has ended, and the member has not asked for another one. */
  readonly onEnded: (pool: string, node: string) => void;
}

interface Grant {
  readonly pool: string;
  readonly fromMs: number;
  readonly timer: Timer;
}

/** The part of a pool that may be direct at a time. */
const PART = 0.1;

/**
 * Which members may read without their leader: at most a tenth of a pool at a time, one at least, each beginning at a moment
 * of its own. Every replica counts those that have their session with it. A grant ends with the session.
 */
export class DirectGrants {
  readonly #options: DirectGrantsOptions;
  readonly #grants = new Map<string, Grant>();

  constructor(options: DirectGrantsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#grants.size;
  }

  /**
   * Grants it, or goes on with what was granted.
   * @param members number of the pool's; Infinity: there is no leader, and no bound
   * @throws Refusal 429 overloaded, with the time until a grant of another one ends
   */
  grant(pool: string, node: string, members: number): UpstreamAnswers['pool-direct'] {
    const { times, clock, random } = this.#options;
    const present = this.#grants.get(node);
    const isLeaderless = members === Infinity;
    if (present?.pool !== pool && !isLeaderless) this.#checkRoom(pool, members);
    const nowMs = clock.monotonicMs();
    const jitterMs = isLeaderless ? 0 : randomBelow(random, Math.floor(times.jitterMs) + 1);
    const fromMs = present?.pool === pool ? present.fromMs : nowMs + jitterMs;
    const afterMs = Math.max(0, Math.ceil(fromMs - nowMs));
    present?.timer.cancel();
    const endMs = afterMs + times.directMs;
    const timer = clock.setTimer(endMs, () => this.end(node), { background: true });
    this.#grants.set(node, { pool, fromMs, timer });
    return { afterMs, forMs: Math.floor(times.directMs) };
  }

  /** Whether the member may read directly now. */
  allows(pool: string, node: string): boolean {
    const grant = this.#grants.get(node);
    return grant?.pool === pool && this.#options.clock.monotonicMs() >= grant.fromMs;
  }

  /** The member's session has ended, or it is in the pool no longer. */
  end(node: string): void {
    const grant = this.#grants.get(node);
    if (grant === undefined) return;
    grant.timer.cancel();
    this.#grants.delete(node);
    this.#options.onEnded(grant.pool, node);
  }

  /** Idempotent. */
  stop(): void {
    for (const { timer } of this.#grants.values()) timer.cancel();
    this.#grants.clear();
  }

  #checkRoom(pool: string, members: number): void {
    const room = Math.max(1, Math.floor(members * PART));
    const granted = [...this.#grants.values()].filter((grant) => grant.pool === pool).length;
    if (granted < room) return;
    const { times, random } = this.#options;
    const message = `${granted} of the ${members} members of ${pool} are direct, which is as many as may be`;
    const retryAfterMs = Math.ceil(times.jitterMs * (0.5 + random.next()));
    throw new Refusal(429, 'overloaded', message, retryAfterMs);
  }
}
