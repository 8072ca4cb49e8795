import type { OutgoingChange } from '@hawser/proto';
import type { ChangeEncoder } from '../codec/change-encoder.ts';
import type { Content, ContentKey } from '../content/content.ts';
import { hashToBytes } from '../content/hash.ts';
import { SyncError } from '../errors.ts';
import { SYNC_WINDOW } from '../window.ts';
import type { EdgeHas } from './inventory-comparison.ts';
import type { PublisherCounters } from './publisher-counters.ts';
import type { ScopeView } from './scope-view.ts';

/** Stands for a content that the edge has and the hub does not know: no hash is like it. */
export const UNKNOWN_CONTENT = '';

/** What a {@link BatchBuilder} works with. */
export interface BatchBuilderOptions {
  readonly view: ScopeView;
  readonly encoder: ChangeEncoder;
  readonly counters: PublisherCounters;
  /** Called with an object that cannot be sent because of its size. */
  readonly onOversized: (key: ContentKey, bytes: number) => void;
}

/** Changes for one batch. */
export interface BuiltBatch {
  readonly changes: readonly OutgoingChange[];
  /** Why it ended before the keys did: it is full; an object did not fit into the room there is; the encoder is busy. */
  readonly stopped?: 'full' | 'no-room' | 'busy';
  /** With `no-room`: bytes that the object needs. */
  readonly neededBytes?: number;
}

/** Most bytes of a batch beside its changes: stamp, normal form, framing. */
const BATCH_OVERHEAD_BYTES = 1024;
/** Most bytes of a change beside key, version and what it carries: two hashes and framing. */
const CHANGE_OVERHEAD_BYTES = 64;

/** Turns keys into changes: what the edge is to do so that it has what the view has now. */
export class BatchBuilder {
  readonly #options: BatchBuilderOptions;

  constructor(options: BatchBuilderOptions) {
    this.#options = options;
  }

  /**
   * Takes keys out of `pending`, and brings `has` to what the edge will have once the batch has arrived. Each key is
   * settled before the next one is awaited, so that whatever is said about it meanwhile counts.
   * @param keys which of `pending`, best first, or `pending` itself: then keys that come meanwhile are taken too
   * @param roomBytes what the batch may have; Infinity: an object of any size may go alone
   */
  async build(
    keys: Iterable<ContentKey>,
    pending: Set<ContentKey>,
    has: EdgeHas,
    roomBytes: number,
  ): Promise<BuiltBatch> {
    const changes: OutgoingChange[] = [];
    const done = new Set<ContentKey>();
    let bytes = BATCH_OVERHEAD_BYTES;
    for (const key of keys) {
      // A key that has changed since it was settled comes by again; it is for the next batch.
      if (done.has(key) || !pending.delete(key)) continue;
      done.add(key);
      const known = has.get(key);
      const target = this.#options.view.get(key);
      if (target?.hash === known) continue;
      if (target === undefined) has.delete(key);
      else has.set(key, target.hash);
      const change = await this.#change(key, target, known);
      const size = change === 'busy' ? 0 : sizeOf(change);
      if (size > SYNC_WINDOW.objectBytes) {
        this.#options.counters.oversized += 1;
        this.#options.onOversized(key, size);
        restore(has, key, target, known);
        continue;
      }
      const alone = changes.length === 0;
      const fits = bytes + size <= Math.min(roomBytes, alone ? Infinity : SYNC_WINDOW.batchBytes);
      if (change === 'busy' || !fits) {
        restore(has, key, target, known);
        pending.add(key);
        if (change === 'busy') return { changes, stopped: 'busy' };
        return alone
          ? { changes, stopped: 'no-room', neededBytes: bytes + size }
          : { changes, stopped: 'full' };
      }
      changes.push(change);
      bytes += size;
    }
    return { changes };
  }

  async #change(
    key: ContentKey,
    target: Content | undefined,
    known: string | undefined,
  ): Promise<OutgoingChange | 'busy'> {
    if (target === undefined) return { key, removed: true };
    const { version } = target;
    const hash = hashToBytes(target.hash);
    const base = known === UNKNOWN_CONTENT ? undefined : known;
    if (base !== undefined && base === target.previousHash)
      return { key, rehashed: true, hash, base: hashToBytes(base), version };
    try {
      const encoded = this.#options.encoder.encode(target, base);
      const encoding = encoded instanceof Promise ? await encoded : encoded;
      if ('full' in encoding) return { key, full: encoding.full, hash, version };
      return { key, delta: encoding.delta, hash, base: hashToBytes(encoding.base), version };
    } catch (error) {
      if (error instanceof SyncError && error.code === 'ERR_SYNC_BUSY') return 'busy';
      throw error;
    }
  }
}

/** Takes back what was noted of a key that is not sent, unless the edge has said something about it since. */
function restore(
  has: EdgeHas,
  key: ContentKey,
  target: Content | undefined,
  known: string | undefined,
): void {
  if (has.get(key) !== target?.hash) return;
  if (known === undefined) has.delete(key);
  else has.set(key, known);
}

/** Bytes of a change as it travels, at most. */
function sizeOf(change: OutgoingChange): number {
  const { key = '', version = '' } = change;
  const body = 'full' in change ? change.full.length : 'delta' in change ? change.delta.length : 0;
  return Buffer.byteLength(key) + Buffer.byteLength(version) + body + CHANGE_OVERHEAD_BYTES;
}
