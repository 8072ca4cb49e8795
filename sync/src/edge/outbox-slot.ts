import type { Backoff } from '@hawser/seams';
import type { OutboxEntry } from './outbox-store.ts';
import type { UpstreamOutcome } from './upstream-session.ts';

/** A message of which the disk hears nothing: who says it knows after a restart what to say. */
export interface VolatileMessage {
  /** As that of an {@link OutboxEntry}. */
  readonly key: string;
  readonly kind: string;
  /** Asked each time that it is sent, also again: what is so then, packed. What it throws ends the entry. */
  readonly body: () => Uint8Array;
  /**
   * Called with what the cloud said of each {@link body}: 0, taken; 409, 429 or 5xx, it will be asked for again; else
   * refused for good. Not called where the session ends first. Must not throw. Default: nobody hears of it.
   */
  readonly onAnswer?: (outcome: UpstreamOutcome) => void;
}

/** What waits in a slot: for an entry of memory only with how it is made, and an empty body. */
export type SlotEntry = OutboxEntry & { readonly volatile?: VolatileMessage };

/** What an outbox knows of one key. */
export class OutboxSlot {
  readonly key: string;
  /** What the cloud has not taken yet; undefined: nothing, only the disk has to be told. */
  entry: SlotEntry | undefined;
  /** What is on its way to the cloud, {@link entry} or one that it has replaced. */
  flying: SlotEntry | undefined;
  /** Since when the disk lacks something of this key, monotonic milliseconds; undefined: it does not. */
  unsavedSinceMs: number | undefined;
  /** Order of the entry that the disk has; undefined: none. */
  onDisk: number | undefined;
  /** Order of the entry that is being written: the disk has it, or still {@link onDisk}. 0: a removal. */
  writing: number | undefined;
  /** The disk refuses, or stalls: the entry is sent although an older one may be on it. */
  regardless = false;
  /** Not sent before this monotonic time, milliseconds. */
  notBeforeMs = 0;
  /** Failures in a row. */
  backoff: Backoff | undefined;

  constructor(key: string) {
    this.key = key;
  }

  /** The slot of an entry that the disk has. */
  static loaded(entry: OutboxEntry): OutboxSlot {
    const slot = new OutboxSlot(entry.key);
    slot.entry = entry;
    slot.onDisk = entry.order;
    return slot;
  }

  /** Order of the entry that the disk is to have; undefined: none. */
  get durableOrder(): number | undefined {
    return this.entry?.volatile === undefined ? this.entry?.order : undefined;
  }

  /** Whether nothing is left to do about this key. */
  get isIdle(): boolean {
    return this.entry === undefined && this.flying === undefined && this.untouchedByDisk;
  }

  /** Whether the disk has no older entry that a power cut would bring back over this one. */
  get mayBeSent(): boolean {
    if (this.regardless) return true;
    const order = this.durableOrder;
    const older = (other: number | undefined): boolean =>
      other !== undefined && other !== 0 && other !== order;
    return !older(this.onDisk) && !older(this.writing);
  }

  /** Whether the disk has nothing of this key, and is not about to. */
  get untouchedByDisk(): boolean {
    return this.onDisk === undefined && this.writing === undefined;
  }

  /** Whether the disk has just what it is to have. */
  get saved(): boolean {
    return this.writing === undefined && this.onDisk === this.durableOrder;
  }

  /** Whether this very message waits already, and will be sent as it is. */
  saysAlready(message: Omit<OutboxEntry, 'order'>): boolean {
    const { entry } = this;
    if (entry === undefined || entry === this.flying || entry.volatile !== undefined) return false;
    return entry.kind === message.kind && entry.keep === message.keep && sameBytes(entry.body, message.body);
  }

  /** Makes what was put before the disk was read newer than all that is on it. */
  shiftOrder(offset: number): void {
    if (this.entry === undefined) return;
    const shifted = { ...this.entry, order: this.entry.order + offset };
    if (this.flying === this.entry) this.flying = shifted;
    this.entry = shifted;
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && Buffer.compare(one, other) === 0;
}
