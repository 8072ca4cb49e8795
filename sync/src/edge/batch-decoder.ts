import type { Batch, Change } from '@hawser/proto';
import { applyDelta } from '../codec/apply-delta.ts';
import { unpack } from '../codec/pack.ts';
import type { Content, ContentHash, ContentKey } from '../content/content.ts';
import { hashFromBytes, hashOf } from '../content/hash.ts';
import { parseKey } from '../content/key.ts';
import { NORMAL_FORMS, renormalize, type NormalForms } from '../content/normal-form.ts';
import { SyncError } from '../errors.ts';
import type { ReplicaStore } from './replica-store.ts';

/** What a batch comes to, for an edge that has what it has. */
export interface DecodedBatch {
  readonly puts: readonly Content[];
  /** Of objects that are there. */
  readonly removes: readonly ContentKey[];
  /** What could not be made from what the edge has. */
  readonly unmade: readonly ContentKey[];
}

/** Makes contents from what travelled, and checks each one against its hash. */
export class BatchDecoder {
  readonly #store: ReplicaStore;
  readonly #scope: string;
  readonly #forms: NormalForms;

  /** @param forms default: those of this release */
  constructor(store: ReplicaStore, scope: string, forms: NormalForms = NORMAL_FORMS) {
    this.#store = store;
    this.#scope = scope;
    this.#forms = forms;
  }

  /**
   * Nothing is kept of a batch of which anything is wrong; what cannot be made from the edge's own is not wrong.
   * @throws SyncError `ERR_SYNC_BAD_MESSAGE`, `ERR_SYNC_BAD_KEY`, `ERR_SYNC_BAD_HASH`, `ERR_SYNC_BAD_PACK`,
   *   `ERR_SYNC_TOO_LARGE`, `ERR_SYNC_WRONG_HASH`
   */
  async decode(batch: Batch): Promise<DecodedBatch> {
    const entries = this.#store.entries(this.#scope);
    const puts: Content[] = [];
    const removes: ContentKey[] = [];
    const unmade: ContentKey[] = [];
    const seen = new Set<ContentKey>();
    for (const change of batch.changes) {
      const { key } = change;
      parseKey(key);
      if (seen.has(key)) throw new SyncError('ERR_SYNC_BAD_MESSAGE', `${key} twice in a batch`);
      seen.add(key);
      if (change.body === 'removed') {
        if (entries.has(key)) removes.push(key);
        continue;
      }
      const content = await this.#make(change, batch.normalForm);
      if (content === undefined) unmade.push(key);
      else puts.push(content);
    }
    return { puts, removes, unmade };
  }

  async #make(change: Change, normalForm: number): Promise<Content | undefined> {
    const hash = hashFromBytes(change.hash);
    switch (change.body) {
      case 'full':
        return fullContent(change, hash, unpack(change.full));
      case 'delta':
        return this.#fromBase(change, hash, (base) => applyDelta(base, change.delta));
      case 'rehashed': {
        if (normalForm !== this.#forms.current.version) return undefined;
        const { key, version } = change;
        return this.#fromBase(
          change,
          hash,
          (bytes) => renormalize({ key, version, bytes }, this.#forms).bytes,
        );
      }
      default:
        throw new SyncError('ERR_SYNC_BAD_MESSAGE', `${change.key}: a change of an unknown kind`);
    }
  }

  /** Undefined where the edge lacks the base, cannot read it, or something else comes out of it. */
  async #fromBase(
    change: Change,
    hash: ContentHash,
    make: (base: Uint8Array) => Uint8Array,
  ): Promise<Content | undefined> {
    const { key, version } = change;
    if (this.#store.entries(this.#scope).get(key)?.hash !== hashFromBytes(change.base)) return undefined;
    try {
      const base = await this.#store.read(this.#scope, key);
      if (base === undefined) return undefined;
      const bytes = make(base);
      return hashOf(bytes) === hash ? { key, hash, version, bytes } : undefined;
    } catch {
      // A disk that does not give it, or instructions that do not fit: the whole content heals both.
      return undefined;
    }
  }
}

function fullContent({ key, version }: Change, hash: ContentHash, bytes: Uint8Array): Content {
  if (hashOf(bytes) !== hash) throw new SyncError('ERR_SYNC_WRONG_HASH', `${key}: not what its hash says`);
  return { key, hash, version, bytes };
}
