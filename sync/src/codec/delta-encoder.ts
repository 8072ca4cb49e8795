import { systemClock, type Clock } from '@hawser/seams';
import type { Content, ContentHash } from '../content/content.ts';
import type { ChangeEncoder, EncodedChange } from './change-encoder.ts';
import { encodeChange, type Encoding } from './encode-change.ts';
import { EncodeThread, type EncodeRunner } from './encode-thread.ts';
import { LruBytes } from './lru-bytes.ts';
import { packRaw } from './pack.ts';
import { VersionCache } from './version-cache.ts';

/** Options of {@link DeltaEncoder}. */
export interface DeltaEncoderOptions {
  /** Bytes of older contents, shared with whoever remembers what is replaced. Default: one of its own. */
  readonly versions?: VersionCache;
  /**
   * Whether what is asked for is remembered as a base for later changes. False where whoever owns the contents
   * remembers each that is replaced: then nothing is kept twice. Default true.
   */
  readonly remembersTargets?: boolean;
  /** Contents above this are encoded in a thread, bytes. Default 64 KiB. `Infinity`: all at once, for simulations. */
  readonly threadAboveBytes?: number;
  /** Bound of what is kept encoded, bytes. Default 8 MiB. */
  readonly maxEncodedBytes?: number;
  /** Where large contents are encoded. Default: a thread of its own. */
  readonly runner?: EncodeRunner;
  readonly clock?: Clock;
}

/** What a {@link DeltaEncoder} did, since it was made; `…Now` are levels. */
export interface DeltaEncoderCounters {
  /** Deltas and whole contents that were encoded. */
  readonly deltas: number;
  readonly fulls: number;
  /** Their bytes, packed, and those of the contents before. */
  readonly packedBytes: number;
  readonly contentBytes: number;
  /** Answers that were there already, or under way. */
  readonly reused: number;
  /** Asked for a delta, but the base's bytes were gone. */
  readonly basesMissing: number;
  /** Sent as they are because the thread broke. */
  readonly unpacked: number;
  /** How often the thread broke. */
  readonly threadBreaks: number;
  readonly pairsNow: number;
  readonly pairBytesNow: number;
  readonly versionsNow: number;
  readonly versionBytesNow: number;
}

/** Default of {@link DeltaEncoderOptions.threadAboveBytes}. */
const THREAD_ABOVE_BYTES = 64 * 1024;
/** Default of {@link DeltaEncoderOptions.maxEncodedBytes}. */
const MAX_ENCODED_BYTES = 8 * 1024 * 1024;

/**
 * Encodes changes for all sessions of a hub: each pair of versions once.
 */
export class DeltaEncoder implements ChangeEncoder {
  readonly #versions: VersionCache;
  readonly #remembersTargets: boolean;
  readonly #threadAboveBytes: number;
  readonly #runner: EncodeRunner;
  readonly #encoded: LruBytes<Encoding>;
  readonly #underWay = new Map<string, Promise<EncodedChange>>();
  readonly #counts = {
    deltas: 0,
    fulls: 0,
    packedBytes: 0,
    contentBytes: 0,
    reused: 0,
    basesMissing: 0,
    unpacked: 0,
    threadBreaks: 0,
  };

  constructor(options: DeltaEncoderOptions = {}) {
    this.#versions = options.versions ?? new VersionCache();
    this.#remembersTargets = options.remembersTargets ?? true;
    this.#threadAboveBytes = options.threadAboveBytes ?? THREAD_ABOVE_BYTES;
    this.#encoded = new LruBytes(options.maxEncodedBytes ?? MAX_ENCODED_BYTES, ({ packed }) => packed.length);
    const onBroken = (): void => {
      this.#counts.threadBreaks += 1;
    };
    this.#runner = options.runner ?? new EncodeThread({ clock: options.clock ?? systemClock, onBroken });
  }

  encode(target: Content, edgeHas?: ContentHash): EncodedChange | Promise<EncodedChange> {
    if (this.#remembersTargets) this.#versions.remember(target);
    const base = this.#baseFor(target, edgeHas);
    if (base === undefined && target.packed !== undefined) return this.#asKept(target.packed);
    const hash = base === undefined ? undefined : edgeHas;
    const pair = `${hash ?? ''}>${target.hash}`;
    const kept = this.#encoded.get(pair);
    const underWay = this.#underWay.get(pair);
    if (kept !== undefined || underWay !== undefined) this.#counts.reused += 1;
    if (kept !== undefined) return changeOf(kept, hash);
    if (underWay !== undefined) return underWay;
    if (Math.max(target.bytes.length, base?.length ?? 0) <= this.#threadAboveBytes)
      return changeOf(this.#keep(pair, target, encodeChange(target.bytes, base)), hash);
    return this.#encodeAside(pair, target, base, hash);
  }

  /** What it did and keeps, now. */
  counters(): DeltaEncoderCounters {
    return {
      ...this.#counts,
      pairsNow: this.#encoded.size,
      pairBytesNow: this.#encoded.bytes,
      versionsNow: this.#versions.size,
      versionBytesNow: this.#versions.bytes,
    };
  }

  /** Ends the thread; what is under way travels as it is. Idempotent. */
  stop(): Promise<void> {
    return this.#runner.stop();
  }

  /** Whole, and packed already by whoever keeps it. */
  #asKept(packed: Uint8Array): EncodedChange {
    this.#counts.reused += 1;
    return { full: packed };
  }

  #baseFor(target: Content, edgeHas: ContentHash | undefined): Uint8Array | undefined {
    if (edgeHas === undefined || edgeHas === target.hash) return undefined;
    const base = this.#versions.get(edgeHas);
    if (base === undefined) this.#counts.basesMissing += 1;
    return base;
  }

  #encodeAside(
    pair: string,
    target: Content,
    base: Uint8Array | undefined,
    hash: ContentHash | undefined,
  ): Promise<EncodedChange> {
    const encoded = this.#runner
      .run({ target: target.bytes, base })
      .then((encoding) => {
        if (encoding !== undefined) return changeOf(this.#keep(pair, target, encoding), hash);
        this.#counts.unpacked += 1;
        return { full: packRaw(target.bytes) };
      })
      .finally(() => this.#underWay.delete(pair));
    this.#underWay.set(pair, encoded);
    return encoded;
  }

  #keep(pair: string, target: Content, encoding: Encoding): Encoding {
    this.#counts[encoding.kind === 'delta' ? 'deltas' : 'fulls'] += 1;
    this.#counts.packedBytes += encoding.packed.length;
    this.#counts.contentBytes += target.bytes.length;
    this.#encoded.set(pair, encoding);
    return encoding;
  }
}

function changeOf({ kind, packed }: Encoding, base: ContentHash | undefined): EncodedChange {
  // A delta is only made against a base.
  return kind === 'delta' && base !== undefined ? { delta: packed, base } : { full: packed };
}
