import type { Clock } from '@hawser/seams';
import { aged, lifetimeOf, type Lifetime } from './raw-answer.ts';

/** Limits of {@link AnswerCache}. */
export interface CacheLimits {
  readonly answers: number;
  readonly bytes: number;
}

/** Small: what pods of one node ask for again. */
const DEFAULT_LIMITS: CacheLimits = { answers: 1000, bytes: 512 * 1024 };
/** Larger answers are not kept. */
const MAX_ANSWER_BYTES = 4096;
/** How long an answer that is over may still be given where nobody can be asked. Source: RFC 8767 §5. */
const STALE_MS = 24 * 3_600_000;
/** What is said then, seconds. Source: RFC 8767 §4. */
const STALE_TTL = 30;

interface Kept {
  readonly message: Buffer;
  readonly lifetime: Lifetime;
  readonly atMs: number;
}

/** Answers of other servers, the one used the longest ago goes first. Keys are up to the caller. */
export class AnswerCache {
  readonly #clock: Clock;
  readonly #limits: CacheLimits;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(clock: Clock, limits: CacheLimits = DEFAULT_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get size(): number {
    return this.#kept.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** An answer that still holds, with what is left of its times. */
  get(key: string): Buffer | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const ageSeconds = Math.floor((this.#clock.monotonicMs() - kept.atMs) / 1000);
    if (ageSeconds >= kept.lifetime.ttl) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return aged(kept.message, kept.lifetime, ageSeconds, 0);
  }

  /** An answer that is over, and not for long enough to be wrong; only what there is, not what there is not. */
  stale(key: string): Buffer | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.lifetime.negative) return undefined;
    if (this.#clock.monotonicMs() - kept.atMs > STALE_MS) return undefined;
    return aged(kept.message, kept.lifetime, STALE_MS, STALE_TTL);
  }

  put(key: string, message: Buffer): void {
    const lifetime = lifetimeOf(message);
    const before = this.#kept.get(key);
    if (lifetime.ttl <= 0 || message.length > MAX_ANSWER_BYTES) {
      // A failure says nothing about what there was; anything else takes its place.
      return;
    }
    if (before !== undefined) this.#drop(key, before);
    this.#kept.set(key, { message, lifetime, atMs: this.#clock.monotonicMs() });
    this.#bytes += cost(key, message);
    for (const [oldest, kept] of this.#kept) {
      if (this.#kept.size <= this.#limits.answers && this.#bytes <= this.#limits.bytes) break;
      this.#drop(oldest, kept);
    }
  }

  #drop(key: string, { message }: Kept): void {
    this.#kept.delete(key);
    this.#bytes -= cost(key, message);
  }
}

function cost(key: string, message: Buffer): number {
  return key.length + message.length;
}
