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

/** A bucket for each key: an address, a node. Bounded in memory, whoever asks. */
export class AttemptLimiter {
  readonly #options: AttemptLimiterOptions;
  /** In order of the last use: when the bucket is full again, monotonic milliseconds. */
  readonly #fullAtMs = new Map<string, number>();

  constructor(options: AttemptLimiterOptions) {
    this.#options = options;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  /** Milliseconds until the key has an attempt again; 0: it has one now. */
  waitMs(key: string): number {
    const { burst, refillMs } = this.#options;
    return Math.max(0, Math.ceil(this.#untilFullMs(key) - (burst - 1) * refillMs));
  }

  /** Takes an attempt from the key. */
  count(key: string): void {
    const { burst, refillMs, maxKeys, clock } = this.#options;
    const untilFullMs = Math.min(burst * refillMs, this.#untilFullMs(key) + refillMs);
    this.#fullAtMs.delete(key);
    this.#fullAtMs.set(key, clock.monotonicMs() + untilFullMs);
    if (this.#fullAtMs.size <= maxKeys) return;
    for (const oldest of this.#fullAtMs.keys()) {
      this.#fullAtMs.delete(oldest);
      return;
    }
  }

  #untilFullMs(key: string): number {
    return Math.max(0, (this.#fullAtMs.get(key) ?? 0) - this.#options.clock.monotonicMs());
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
