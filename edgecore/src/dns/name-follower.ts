import type { Clock, Logger, Random } from '@hawser/seams';
import type { Entry, ObjectStore } from '@hawser/kube';
import { NameIndex } from './name-index.ts';
import { StoreFollower } from './store-follower.ts';

/** Settings of {@link NameFollower}. */
export interface NameFollowerOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random?: Random | undefined;
  readonly log: Logger;
}

const SERVICES = { group: '', resource: 'services' };
const SLICES = { group: 'discovery.k8s.io', resource: 'endpointslices' };

/** Keeps an index of names up with a store. */
export class NameFollower {
  readonly index = new NameIndex();
  readonly #clock: Clock;
  readonly #followers: readonly StoreFollower[];
  #serial: number;

  constructor({ store, clock, random, log }: NameFollowerOptions) {
    this.#clock = clock;
    this.#serial = seconds(clock);
    const base = { store, clock, random, log };
    const services = this.#taking((into, { object }) => into.putService(object), 'takeServices');
    const slices = this.#taking((into, { object }) => into.putSlice(object), 'takeSlices');
    this.#followers = [
      new StoreFollower({
        ...base,
        scope: SERVICES,
        sink: {
          replace: services,
          apply: ({ type, entry }) => {
            if (type === 'DELETED') this.index.removeService(entry.object);
            else this.index.putService(entry.object);
            this.#changed();
          },
        },
      }),
      new StoreFollower({
        ...base,
        scope: SLICES,
        sink: {
          replace: slices,
          apply: ({ type, entry, previous }) => {
            if (type === 'DELETED') this.index.removeSlice(entry.object);
            else this.index.putSlice(entry.object, previous?.object);
            this.#changed();
          },
        },
      }),
    ];
  }

  /** Whether all that there is was taken in once. */
  get synced(): boolean {
    return this.#followers.every(({ synced }) => synced);
  }

  /** When something changed last, seconds since 1970: what zones call their serial. */
  get serial(): number {
    return this.#serial;
  }

  /** Idempotent. */
  start(): void {
    for (const follower of this.#followers) follower.start();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.stop()));
  }

  /** Takes a list into an index of its own, and puts that in the place of the present one when it is complete. */
  #taking(
    put: (into: NameIndex, entry: Entry) => void,
    take: 'takeServices' | 'takeSlices',
  ): (entries: readonly Entry[], done: boolean) => void {
    let next = new NameIndex();
    return (entries, done) => {
      for (const entry of entries) put(next, entry);
      if (!done) return;
      this.index[take](next);
      next = new NameIndex();
      this.#changed();
    };
  }

  #changed(): void {
    this.#serial = seconds(this.#clock);
  }
}

function seconds(clock: Clock): number {
  return Math.floor(clock.wallMs() / 1000) >>> 0;
}
