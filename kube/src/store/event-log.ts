import type { SizedEntry } from './entry.ts';
import type { StoreEvent } from './store.ts';

/** An event whose entries know their size. */
export interface SizedEvent extends StoreEvent {
  readonly entry: SizedEntry;
  readonly previous?: SizedEntry;
}

/** Below this many spent places the array is not worth shifting. */
const COMPACT_AT = 1024;

/** Events in order of version: added at the end, taken from the front. */
export class EventLog {
  #events: (SizedEvent | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#events.length - this.#head;
  }

  get first(): SizedEvent | undefined {
    return this.#events[this.#head];
  }

  push(event: SizedEvent): void {
    this.#events.push(event);
  }

  shift(): SizedEvent | undefined {
    const event = this.#events[this.#head];
    if (event === undefined) return undefined;
    this.#events[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }

  /** The events with a version over `version`, oldest first. */
  after(version: number): SizedEvent[] {
    let low = this.#head;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const event = this.#events[middle];
      if (event !== undefined && event.entry.resourceVersion <= version) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low).filter((event) => event !== undefined);
  }
}
