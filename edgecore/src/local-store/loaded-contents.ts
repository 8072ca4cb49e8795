import { tooManyRequests } from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import type { ContentHash, ContentKey } from '@hawser/sync';

/** Bounds of {@link LoadedContents}. */
export interface LoadedLimits {
  /** Bytes that are kept at most, once nothing of it is needed any more. */
  readonly bytes: number;
  /** Bytes that may be needed at a time; more is refused. */
  readonly neededBytes: number;
}

/** How long what was read is needed: until the request that it was read for is answered. */
const NEEDED_MS = 30_000;

interface Loaded {
  readonly hash: ContentHash;
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/** Contents of the node's objects that were read from the disk for requests. The one read last is the last. */
export class LoadedContents {
  readonly #limits: LoadedLimits;
  readonly #clock: Clock;
  readonly #loaded = new Map<ContentKey, Loaded>();
  #bytes = 0;

  constructor(limits: LoadedLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The content of this hash; undefined: it was not read, or has been forgotten. */
  get(key: ContentKey, hash: ContentHash): Uint8Array | undefined {
    const loaded = this.#loaded.get(key);
    return loaded?.hash === hash ? loaded.bytes : undefined;
  }

  /** @throws StatusError TooManyRequests: much else is needed */
  put(key: ContentKey, hash: ContentHash, bytes: Uint8Array): void {
    this.forget(key);
    this.#loaded.set(key, { hash, bytes, atMs: this.#clock.monotonicMs() });
    this.#bytes += bytes.length;
    const neededMs = this.#clock.monotonicMs() - NEEDED_MS;
    for (const [oldest, { atMs }] of this.#loaded) {
      if (this.#bytes <= this.#limits.bytes || atMs > neededMs) break;
      this.forget(oldest);
    }
    if (this.#bytes <= this.#limits.neededBytes) return;
    this.forget(key);
    throw tooManyRequests('too many objects of the node are read at a time, please try again later', 1);
  }

  forget(key: ContentKey): void {
    this.#bytes -= this.#loaded.get(key)?.bytes.length ?? 0;
    this.#loaded.delete(key);
  }
}
