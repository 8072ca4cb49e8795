import type { ContentHash } from '../content/content.ts';
import { LruBytes } from './lru-bytes.ts';

/** Default bound of {@link VersionCache}, bytes. */
export const VERSION_CACHE_BYTES = 32 * 1024 * 1024;

/**
 * The bytes of contents that edges may still have, by hash: what deltas are made against. One for a hub; whoever
 * replaces a content in the hub's caches remembers the one that goes. Keeps the bytes by reference, no copy.
 */
export class VersionCache {
  readonly #versions: LruBytes<Uint8Array>;

  /** @param maxBytes bound; what was used longest ago goes first. Default 32 MiB */
  constructor(maxBytes = VERSION_CACHE_BYTES) {
    this.#versions = new LruBytes(maxBytes, (bytes) => bytes.length);
  }

  /** What the kept versions cost, bytes. */
  get bytes(): number {
    return this.#versions.bytes;
  }

  /** Number of versions. */
  get size(): number {
    return this.#versions.size;
  }

  /** Keeps a version; one that is there already is used anew. */
  remember(version: { readonly hash: ContentHash; readonly bytes: Uint8Array }): void {
    if (this.#versions.get(version.hash) === undefined) this.#versions.set(version.hash, version.bytes);
  }

  get(hash: ContentHash): Uint8Array | undefined {
    return this.#versions.get(hash);
  }
}
