import type { StoreEvent } from '@hawser/kube';
import type { LocalEntry } from './local-entry.ts';

/** A change of one object, as it was told. */
export interface ToldChange {
  /** Of the event. */
  readonly version: number;
  /** As it is since, as of its own version or as of that of the event; undefined: it is gone. */
  readonly now: LocalEntry | undefined;
  /** As it was; undefined: it is new. One of the two is there. */
  readonly before: LocalEntry | undefined;
}

/** Bounds of what is kept of a resource's changes. */
export interface ChangeHistoryLimits {
  readonly events: number;
  /** Of the states that were replaced. */
  readonly bytes: number;
}

/** What an event takes in memory beside the object that it replaced. */
const EVENT_BYTES = 160;
/** Below this many spent places the array is not worth shifting. */
const COMPACT_AT = 256;

/** The latest changes of one resource, in order of version: where watches can go on. The oldest go first. */
export class ChangeHistory {
  readonly #limits: ChangeHistoryLimits;
  #changes: (ToldChange | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  #floor: number;

  /** `floor`: the version that the first change comes after. */
  constructor(limits: ChangeHistoryLimits, floor: number) {
    this.#limits = limits;
    this.#floor = floor;
  }

  /** Every change after this version is here. */
  get floor(): number {
    return this.#floor;
  }

  get length(): number {
    return this.#changes.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(change: ToldChange): void {
    this.#changes.push(change);
    this.#bytes += sizeOf(change);
    while (this.length > this.#limits.events || this.#bytes > this.#limits.bytes) this.#shift();
  }

  /** Changes above a version that is not below {@link floor}, oldest first. */
  after(version: number): readonly ToldChange[] {
    let low = this.#head;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle]?.version ?? Infinity) <= version) low = middle + 1;
      else high = middle;
    }
    return this.#changes.slice(low).filter((change) => change !== undefined);
  }

  /** Forgets all; what comes, comes after `floor`. */
  clear(floor: number): void {
    this.#changes = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#floor = floor;
  }

  #shift(): void {
    const oldest = this.#changes[this.#head];
    if (oldest === undefined) return;
    this.#changes[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= sizeOf(oldest);
    this.#floor = oldest.version;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#changes.length) {
      this.#changes = this.#changes.slice(this.#head);
      this.#head = 0;
    }
  }
}

function sizeOf({ before }: ToldChange): number {
  return EVENT_BYTES + (before?.sizeBytes ?? 0);
}

/** What watches are told of a change. Entries are new ones, which no history keeps: see `LocalEntry.at`. */
export function eventOf({ version, now, before }: ToldChange): StoreEvent {
  if (before === undefined) {
    if (now === undefined) throw new TypeError('a change of nothing');
    return { type: 'ADDED', entry: now.at(version) };
  }
  if (now === undefined) return { type: 'DELETED', entry: before.at(version), previous: before };
  return { type: 'MODIFIED', entry: now.at(version), previous: before };
}
