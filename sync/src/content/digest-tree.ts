import { createHash, hash } from 'node:crypto';
import { SyncError } from '../errors.ts';
import type { ContentHash, ContentKey } from './content.ts';
import { HASH_BYTES } from './hash.ts';
import { compareKeys } from './key.ts';

/** Buckets that keys are spread over. Part of the protocol: every digest depends on it. */
export const BUCKETS = 256;
/** Bytes of one digest in {@link DigestTree.bucketDigests}. */
export const BUCKET_DIGEST_BYTES = 8;
/** Up to so many entries a scope's inventory is one list, without digests of buckets. */
export const SMALL_SCOPE_ENTRIES = 256;

/** Where a scope that shrinks goes back to one map; well below, so that it does not go back and forth. */
const SMALL_AGAIN_ENTRIES = SMALL_SCOPE_ENTRIES / 2;

/** Number of the bucket that a key is in. */
export function bucketOf(key: ContentKey): number {
  return Number.parseInt(hash('sha256', key, 'hex').slice(0, 2), 16);
}

/** Buckets whose digests differ. @throws SyncError `ERR_SYNC_BAD_INVENTORY` for a list of another length than 256 */
export function differingBuckets(ours: Uint8Array, theirs: Uint8Array): number[] {
  for (const { length } of [ours, theirs]) {
    if (length !== BUCKETS * BUCKET_DIGEST_BYTES)
      throw new SyncError(
        'ERR_SYNC_BAD_INVENTORY',
        `${length} bytes are not the digests of ${BUCKETS} buckets`,
      );
  }
  const differing: number[] = [];
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const from = bucket * BUCKET_DIGEST_BYTES;
    const to = from + BUCKET_DIGEST_BYTES;
    if (Buffer.compare(ours.subarray(from, to), theirs.subarray(from, to)) !== 0) differing.push(bucket);
  }
  return differing;
}

type Entries = Map<ContentKey, ContentHash>;

interface Bucket {
  readonly entries: Entries;
  /** Undefined: something has changed since. */
  digest: Uint8Array | undefined;
}

/**
 * Keys and hashes of a scope with their digests, see docs/sync.md, "Digest". What was not touched since is not
 * computed again. A small scope (a node's, mostly) is one map; only a large one has its 256 buckets.
 */
export class DigestTree {
  #small: Entries | undefined = new Map();
  #buckets: (Bucket | undefined)[] = [];
  #size = 0;
  #digest: Uint8Array | undefined;

  /** A tree of these entries; of two with one key the later counts. */
  static of(entries: Iterable<readonly [ContentKey, ContentHash]>): DigestTree {
    const tree = new DigestTree();
    for (const [key, contentHash] of entries) tree.set(key, contentHash);
    return tree;
  }

  /** Number of keys. */
  get size(): number {
    return this.#small?.size ?? this.#size;
  }

  get(key: ContentKey): ContentHash | undefined {
    return this.#entriesOf(key)?.get(key);
  }

  set(key: ContentKey, contentHash: ContentHash): void {
    if (this.#small === undefined) {
      this.#put(key, contentHash);
    } else if (this.#small.get(key) !== contentHash) {
      this.#small.set(key, contentHash);
      this.#digest = undefined;
      if (this.#small.size > SMALL_SCOPE_ENTRIES) this.#spread(this.#small);
    }
  }

  /** Whether there was such a key. */
  delete(key: ContentKey): boolean {
    if (this.#small !== undefined) {
      const found = this.#small.delete(key);
      if (found) this.#digest = undefined;
      return found;
    }
    const number = bucketOf(key);
    const bucket = this.#buckets[number];
    if (bucket?.entries.delete(key) !== true) return false;
    this.#size -= 1;
    this.#digest = undefined;
    bucket.digest = undefined;
    if (bucket.entries.size === 0) this.#buckets[number] = undefined;
    if (this.#size <= SMALL_AGAIN_ENTRIES) this.#gather();
    return true;
  }

  /** Every key with its hash, in no particular order. */
  *entries(): Generator<readonly [ContentKey, ContentHash]> {
    if (this.#small !== undefined) yield* this.#small;
    else for (const bucket of this.#buckets) if (bucket !== undefined) yield* bucket.entries;
  }

  /** Keys and hashes of some buckets. Numbers that no bucket has are passed over. */
  *entriesIn(buckets: Iterable<number>): Generator<readonly [ContentKey, ContentHash]> {
    const wanted = new Set(buckets);
    if (this.#small !== undefined) {
      for (const entry of this.#small) if (wanted.has(bucketOf(entry[0]))) yield entry;
    } else {
      for (const number of wanted) yield* this.#buckets[number]?.entries ?? [];
    }
  }

  /** Digest of the scope, 16 bytes; all zeroes for an empty one. Kept until something changes. */
  digest(): Uint8Array {
    this.#digest ??= this.#compute();
    return this.#digest;
  }

  /** Digests of all buckets in order, 8 bytes each; zeroes for an empty one. */
  bucketDigests(): Uint8Array {
    const all = new Uint8Array(BUCKETS * BUCKET_DIGEST_BYTES);
    for (const [number, digest] of this.#digests())
      all.set(digest.subarray(0, BUCKET_DIGEST_BYTES), number * BUCKET_DIGEST_BYTES);
    return all;
  }

  #compute(): Uint8Array {
    if (this.size === 0) return new Uint8Array(HASH_BYTES);
    const sum = createHash('sha256');
    for (const [number, digest] of this.#digests()) sum.update(Uint8Array.of(number)).update(digest);
    // A copy: the sum is a view of a slab that would stay alive with it.
    return new Uint8Array(sum.digest().subarray(0, HASH_BYTES));
  }

  /** Digests of the buckets that are not empty, in order. */
  *#digests(): Generator<readonly [number, Uint8Array]> {
    const buckets = this.#small === undefined ? this.#buckets : spread(this.#small);
    for (const [number, bucket] of buckets.entries()) {
      if (bucket === undefined) continue;
      bucket.digest ??= digestOf(bucket.entries);
      yield [number, bucket.digest];
    }
  }

  #entriesOf(key: ContentKey): Entries | undefined {
    return this.#small ?? this.#buckets[bucketOf(key)]?.entries;
  }

  #put(key: ContentKey, contentHash: ContentHash): void {
    const bucket = (this.#buckets[bucketOf(key)] ??= emptyBucket());
    const before = bucket.entries.get(key);
    if (before === contentHash) return;
    if (before === undefined) this.#size += 1;
    bucket.entries.set(key, contentHash);
    bucket.digest = undefined;
    this.#digest = undefined;
  }

  #spread(small: Entries): void {
    this.#buckets = spread(small);
    this.#size = small.size;
    this.#small = undefined;
  }

  #gather(): void {
    this.#small = new Map(this.entries());
    this.#buckets = [];
    this.#size = 0;
  }
}

function spread(entries: Entries): (Bucket | undefined)[] {
  const buckets = new Array<Bucket | undefined>(BUCKETS).fill(undefined);
  for (const [key, contentHash] of entries) {
    const bucket = (buckets[bucketOf(key)] ??= emptyBucket());
    bucket.entries.set(key, contentHash);
  }
  return buckets;
}

function emptyBucket(): Bucket {
  return { entries: new Map(), digest: undefined };
}

function digestOf(entries: Entries): Uint8Array {
  const sum = createHash('sha256');
  for (const key of [...entries.keys()].sort(compareKeys)) {
    sum.update(`${key}\0`).update(entries.get(key) ?? '', 'hex');
  }
  return new Uint8Array(sum.digest());
}
