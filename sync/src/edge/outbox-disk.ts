import { Backoff, delay, type Clock, type Logger, type Random } from '@hawser/seams';
import { messageOf } from '../errors.ts';
import { Alarm } from './alarm.ts';
import type { OutboxSlot, SlotEntry } from './outbox-slot.ts';
import type { OutboxEntry, OutboxStore } from './outbox-store.ts';

/** What an {@link OutboxDisk} is made of. */
export interface OutboxDiskOptions {
  readonly store: OutboxStore;
  readonly clock: Clock;
  readonly random?: Random;
  readonly log: Logger;
  /** Called with each slot that was written, or that the disk has kept waiting for too long. */
  readonly onSettled: (slot: OutboxSlot) => void;
}

/** Wait before the disk is tried again, milliseconds: first upper bound, and the highest. */
const RETRY_MS = { base: 1_000, cap: 60_000 } as const;
/** How long an entry waits for a disk that stalls. */
const PATIENCE_MS = 5_000;

/**
 * Brings an outbox's slots to the disk, as many at a time as have come together; what is written of a slot is what it
 * has then. Tries again, with back-off, for as long as the disk refuses.
 */
export class OutboxDisk {
  readonly #options: OutboxDiskOptions;
  readonly #unsaved = new Set<OutboxSlot>();
  readonly #waiting = new Map<OutboxSlot, number>();
  readonly #patience: Alarm;
  readonly #backoff: Backoff;
  #writing: Promise<void> | undefined;
  #hurry: AbortController | undefined;
  #finishing = false;
  #error: unknown;
  failedWrites = 0;

  constructor(options: OutboxDiskOptions) {
    this.#options = options;
    this.#patience = new Alarm(options.clock, () => this.#outOfPatience());
    this.#backoff = new Backoff({
      baseMs: RETRY_MS.base,
      capMs: RETRY_MS.cap,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  /** What the disk said when it last refused; undefined: it did not. */
  get error(): string | undefined {
    return this.#error === undefined ? undefined : messageOf(this.#error);
  }

  load(): Promise<readonly OutboxEntry[]> {
    return this.#options.store.load();
  }

  /** Makes durable what the slot has, or that it has nothing any more. */
  save(slot: OutboxSlot): void {
    if (!this.#waiting.has(slot) && !slot.mayBeSent) {
      const sinceMs = this.#options.clock.monotonicMs();
      this.#waiting.set(slot, sinceMs);
      this.#patience.setAt(sinceMs + PATIENCE_MS);
    }
    this.#unsaved.add(slot);
    this.#writing ??= this.#write();
  }

  /** Resolves once all is durable, however long the disk stalls. @throws what the disk says, if it refuses now */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#hurry?.abort();
    if (this.#unsaved.size > 0) this.#writing ??= this.#write();
    await this.#writing;
    this.#finishing = false;
    this.#patience.cancel();
    if (this.#unsaved.size > 0) throw this.#error;
  }

  async #write(): Promise<void> {
    const { clock, log } = this.#options;
    // Those who save together are written together.
    await Promise.resolve();
    while (this.#unsaved.size > 0) {
      try {
        await this.#writeOnce();
      } catch (error) {
        this.failedWrites += 1;
        const waitMs = this.#backoff.nextMs();
        log.warn(
          { error: messageOf(error), waitMs: Math.round(waitMs) },
          'the disk does not take the outbox',
        );
        this.#error = error;
        this.#giveWay([...this.#waiting.keys()]);
        if (this.#isFinishing()) break;
        this.#hurry = new AbortController();
        await delay(waitMs, { clock, signal: this.#hurry.signal }).catch(() => {}); // a stop ends it early
        continue;
      }
      this.#error = undefined;
      this.#backoff.reset();
    }
    this.#writing = undefined;
  }

  async #writeOnce(): Promise<void> {
    const asked = [...this.#unsaved];
    const slots = asked.filter((slot) => !slot.saved);
    this.#unsaved.clear();
    const put = slots.flatMap(({ entry }) => (isDurable(entry) ? [entry] : []));
    const remove = slots.flatMap(({ entry, key }) => (isDurable(entry) ? [] : [key]));
    for (const slot of slots) {
      slot.writing = slot.durableOrder ?? 0;
      slot.unsavedSinceMs = undefined;
    }
    try {
      if (slots.length > 0) await this.#options.store.write({ put, remove });
    } catch (error) {
      for (const slot of slots) slot.writing = undefined;
      for (const slot of asked) this.#unsaved.add(slot);
      throw error;
    }
    for (const slot of slots) {
      slot.onDisk = slot.writing === 0 ? undefined : slot.writing;
      slot.writing = undefined;
    }
    for (const slot of asked) this.#settle(slot);
  }

  /** Not narrowed by the compiler over an await. */
  #isFinishing(): boolean {
    return this.#finishing;
  }

  #settle(slot: OutboxSlot): void {
    this.#waiting.delete(slot);
    slot.regardless = false;
    this.#options.onSettled(slot);
  }

  #outOfPatience(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const slots: OutboxSlot[] = [];
    for (const [slot, sinceMs] of this.#waiting) {
      if (sinceMs + PATIENCE_MS <= nowMs) slots.push(slot);
      else this.#patience.setAt(sinceMs + PATIENCE_MS);
    }
    this.#giveWay(slots);
  }

  /** Lets entries go although the disk has older ones: the cloud must hear of this node, whatever its disk does. */
  #giveWay(slots: readonly OutboxSlot[]): void {
    for (const slot of slots) {
      this.#waiting.delete(slot);
      slot.regardless = true;
      this.#options.onSettled(slot);
    }
  }
}

function isDurable(entry: SlotEntry | undefined): entry is SlotEntry {
  return entry !== undefined && entry.volatile === undefined;
}
