import {
  DeltaEncoder,
  SyncError,
  VersionCache,
  type ChangeEncoder,
  type Content,
  type EncodedChange,
} from '@hawser/sync';
import type { Dice } from './dice.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The encoder of a modelled hub: the true one, which now and then takes its time, or has too much to do. */
export class SimEncoder implements ChangeEncoder {
  readonly #versions: VersionCache;
  readonly #encoder: DeltaEncoder;
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  /** Whether whole contents travel as they are: packing them costs more than all the rest of a simulation. */
  readonly #raw: boolean;
  /** How many of 1 encodings are slow. */
  slow = 0;

  constructor(time: VirtualTime, dice: Dice, versionBytes: number) {
    this.#time = time;
    this.#dice = dice;
    this.#raw = dice.chance(0.9);
    this.#versions = new VersionCache(versionBytes);
    this.#encoder = new DeltaEncoder({ versions: this.#versions, threadAboveBytes: Infinity });
  }

  encode(target: Content, edgeHas?: string): EncodedChange | Promise<EncodedChange> {
    if (this.slow === 0 || !this.#dice.chance(this.slow)) return this.#encode(target, edgeHas);
    if (this.#dice.chance(0.2)) return Promise.reject(new SyncError('ERR_SYNC_BUSY', 'too much to do'));
    return this.#time.sleep(this.#dice.between(1, 50)).then(() => this.#encode(target, edgeHas));
  }

  #encode(target: Content, edgeHas: string | undefined): EncodedChange | Promise<EncodedChange> {
    const hasBase = edgeHas !== undefined && this.#versions.get(edgeHas) !== undefined;
    if (!this.#raw || hasBase) return this.#encoder.encode(target, edgeHas);
    this.#versions.remember(target);
    const full = new Uint8Array(1 + target.bytes.length);
    full.set(target.bytes, 1);
    return { full };
  }
}
