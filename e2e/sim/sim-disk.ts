import type { ReplicaStore } from '@hawser/sync';
import { MemoryDisk, MemoryOutboxStore, MemoryReplicaStore } from '@hawser/sync/testing';
import type { Dice } from './dice.ts';
import type { VirtualTime } from './virtual-time.ts';

/** An edge's disk: takes its time, stalls, refuses, loses bits; what is on it survives the edge. */
export class SimDisk {
  readonly content = new MemoryDisk();
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  /** Until when nothing is written, monotonic milliseconds. */
  #stalledUntilMs = 0;
  /** Until when every write is refused, monotonic milliseconds. */
  #fullUntilMs = 0;
  /** Whether it says that something is written before it is: what no disk may do, for a test of the checker. */
  lies = false;
  #badReads = 0;
  #readableSinceMs = 0;
  /** Since when it has taken every write at once, monotonic milliseconds. */
  wellSinceMs = 0;
  /** Whether it has ever stalled for longer than the outbox waits for it, or refused. */
  wasUnwell = false;

  constructor(time: VirtualTime, dice: Dice) {
    this.#time = time;
    this.#dice = dice;
  }

  /** How many of 1 reads fail, or answer other bytes than were written. */
  get badReads(): number {
    return this.#badReads;
  }

  set badReads(badReads: number) {
    this.#readableSinceMs = this.readableSinceMs;
    this.#badReads = badReads;
  }

  /** Since when every read has answered what was written, monotonic milliseconds; now, where not every one does. */
  get readableSinceMs(): number {
    return this.#badReads > 0 ? this.#time.monotonicMs() : this.#readableSinceMs;
  }

  stall(forMs: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#time.monotonicMs() + forMs);
    this.wellSinceMs = Math.max(this.wellSinceMs, this.#stalledUntilMs);
    if (forMs > 4_000) this.wasUnwell = true;
  }

  refuse(forMs: number): void {
    this.#fullUntilMs = Math.max(this.#fullUntilMs, this.#time.monotonicMs() + forMs);
    this.wellSinceMs = Math.max(this.wellSinceMs, this.#fullUntilMs);
    this.wasUnwell = true;
  }

  heal(): void {
    this.#stalledUntilMs = 0;
    this.#fullUntilMs = 0;
    this.badReads = 0;
  }

  /** Stores of one life of the edge. */
  open(): { readonly replica: MemoryReplicaStore; readonly outbox: MemoryOutboxStore } {
    const options = { disk: this.content, flush: () => this.flush() };
    const dice = this.#dice;
    const badReads = (): boolean => this.badReads > 0 && dice.chance(this.badReads);
    const lies = (): boolean => this.lies;
    class Replica extends MemoryReplicaStore {
      override async apply(...change: Parameters<MemoryReplicaStore['apply']>): Promise<void> {
        const written = super.apply(...change);
        if (lies())
          written.catch(() => {}); // it has said that it is written
        else await written;
      }

      override async read(scope: string, key: string): Promise<Uint8Array | undefined> {
        const bytes = await super.read(scope, key);
        if (bytes === undefined || !badReads()) return bytes;
        switch (dice.below(3)) {
          case 0:
            throw new Error('the disk cannot read this');
          case 1:
            return undefined;
          default: {
            const rotten = Uint8Array.from(bytes);
            rotten[dice.below(rotten.length)] = 0x58;
            return rotten;
          }
        }
      }
    }
    return { replica: new Replica(options), outbox: new MemoryOutboxStore(options) };
  }

  /** A store whose reads fail where the disk answers something else than was written, as a true one's do. */
  sound(store: ReplicaStore): ReplicaStore {
    return {
      entries: (scope) => store.entries(scope),
      record: (scope) => store.record(scope),
      apply: (...change) => store.apply(...change),
      listen: (listener) => store.listen(listener),
      read: async (scope, key) => {
        const bytes = await store.read(scope, key);
        const written = this.content.scopes.get(scope)?.objects.get(key)?.bytes;
        const isRight = bytes === written || (bytes && written && Buffer.compare(bytes, written) === 0);
        if (isRight === true) return bytes;
        throw new Error('the disk cannot read this');
      },
    };
  }

  /** What was written is on it. @throws Error it is full */
  async flush(): Promise<void> {
    const stallMs = this.#stalledUntilMs - this.#time.monotonicMs();
    await this.#time.sleep(Math.max(0, stallMs) + this.#dice.between(0.2, 4));
    if (this.#time.monotonicMs() < this.#fullUntilMs) throw new Error('no space left on the disk');
  }
}
