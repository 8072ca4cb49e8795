import type { AskInventory, BucketDigests, Entries, ScopeState } from '@hawser/proto';
import { unpackInventory } from '../codec/inventory.ts';
import type { ContentHash, ContentKey } from '../content/content.ts';
import {
  BUCKETS,
  bucketOf,
  differingBuckets,
  DigestTree,
  SMALL_SCOPE_ENTRIES,
} from '../content/digest-tree.ts';
import { SyncError } from '../errors.ts';
import { SYNC_WINDOW } from '../window.ts';
import type { ScopeView } from './scope-view.ts';

/** What is known of an edge's replica: the hash of each object. */
export type EdgeHas = Map<ContentKey, ContentHash>;

/** What the comparison needs next: an answer of the edge, or nothing: it is known what the edge has. */
export type Comparison = { readonly ask: Partial<AskInventory> } | { readonly has: EdgeHas };

/** Finds out what an edge has, with as few questions as may be: see docs/sync.md, "Digest" and "Inventory". */
export class InventoryComparison {
  readonly #view: ScopeView;
  readonly #state: ScopeState;
  readonly #has: EdgeHas = new Map();
  #begun = false;
  #expected: 'nothing' | 'digests' | 'entries' = 'nothing';
  /** Buckets whose entries were asked for; undefined: all. */
  #wanted: ReadonlySet<number> | undefined;

  constructor(view: ScopeView, state: ScopeState) {
    this.#view = view;
    this.#state = state;
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** Whether the edge has just what the view has. The first question otherwise. */
  begin(): Comparison {
    this.#begun = true;
    const { digest, count } = this.#state;
    if (Buffer.compare(digest, this.#view.digest()) === 0) return { has: new Map(this.#view.hashes()) };
    if (count === 0) return { has: this.#has };
    if (Math.min(count, this.#view.size) <= SMALL_SCOPE_ENTRIES) {
      this.#expected = 'entries';
      return { ask: { buckets: 1 } };
    }
    this.#expected = 'digests';
    return { ask: { buckets: BUCKETS } };
  }

  /** The edge's answer to a question for digests. @throws SyncError `ERR_SYNC_BAD_MESSAGE`, `ERR_SYNC_BAD_INVENTORY` */
  onDigests({ digests }: BucketDigests): Comparison {
    this.#expect('digests');
    const ours = DigestTree.of(this.#view.hashes());
    const differing = differingBuckets(ours.bucketDigests(), digests);
    const wanted = new Set(differing);
    for (const [key, hash] of ours.entries()) if (!wanted.has(bucketOf(key))) this.#has.set(key, hash);
    if (wanted.size === 0) return { has: this.#has };
    this.#expected = 'entries';
    this.#wanted = wanted;
    return { ask: { buckets: BUCKETS, wanted: differing } };
  }

  /**
   * The edge's answer to a question for entries; undefined: more of it will follow.
   * @throws SyncError `ERR_SYNC_BAD_MESSAGE`, `ERR_SYNC_LIMIT`, and those of {@link unpackInventory}
   */
  onEntries({ packed, more }: Entries): Comparison | undefined {
    this.#expect('entries');
    const entries = unpackInventory(packed);
    if (more && entries.size === 0)
      throw new SyncError('ERR_SYNC_BAD_MESSAGE', 'an empty part of an inventory');
    for (const [key, hash] of entries) {
      if (this.#has.has(key) || this.#wanted?.has(bucketOf(key)) === false)
        throw new SyncError('ERR_SYNC_BAD_MESSAGE', `${key} was not asked for, or came twice`);
      this.#has.set(key, hash);
    }
    if (this.#has.size > SYNC_WINDOW.objects)
      throw new SyncError('ERR_SYNC_LIMIT', `more than ${SYNC_WINDOW.objects} objects in a scope`);
    if (more) return undefined;
    this.#expected = 'nothing';
    return { has: this.#has };
  }

  #expect(what: 'digests' | 'entries'): void {
    if (this.#expected !== what) throw new SyncError('ERR_SYNC_BAD_MESSAGE', `${what} that nobody asked for`);
  }
}
