import { isIPv6 } from 'node:net';
import type { Clock } from '@hawser/seams';

/** Settings of {@link AttemptLimiter}. */
export interface AttemptLimiterOptions {
  /** Attempts that each key has at once. */
  readonly burst: number;
  /** In how many milliseconds one attempt comes back. */
  readonly refillMs: number;
  /** Keys that are remembered; of more, the one that was quiet for longest is forgotten. */
  readonly maxKeys: number;
  readonly clock: Clock;
}

/** A token bucket for each key: an address, a node. Bounded in memory, whoever asks. */
export class AttemptLimiter {
  readonly #options: AttemptLimiterOptions;
  /** In order of the last use. `spent` attempts as of `atMs`, monotonic. */
  readonly #buckets = new Map<string, { spent: number; atMs: number }>();

  constructor(options: AttemptLimiterOptions) {
    this.#options = options;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Milliseconds until the key has an attempt again; 0: it has one now. */
  waitMs(key: string): number {
    const { burst, refillMs } = this.#options;
    const over = this.#spent(key) - (burst - 1);
    return over > 0 ? Math.ceil(over * refillMs) : 0;
  }

  /** Takes an attempt from the key. */
  count(key: string): void {
    const { burst, maxKeys, clock } = this.#options;
    const spent = Math.min(burst, this.#spent(key) + 1);
    this.#buckets.delete(key);
    this.#buckets.set(key, { spent, atMs: clock.monotonicMs() });
    if (this.#buckets.size <= maxKeys) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }

  #spent(key: string): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return 0;
    const refilled = (this.#options.clock.monotonicMs() - bucket.atMs) / this.#options.refillMs;
    return Math.max(0, bucket.spent - refilled);
  }
}

/** What counts as one address: of IPv6 the network of 64 bits, which is what one site has. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  if (address.startsWith('::ffff:')) return address.slice('::ffff:'.length); // IPv4 on a socket for both
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4).join(':');
}
