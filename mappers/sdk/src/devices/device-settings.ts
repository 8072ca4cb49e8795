import type { MapperDesired, MapperSettled } from '@hawser/devices';
import type { Random } from '@hawser/seams';
import { retryDelayMs } from '../lines/retry-delay.ts';

/** A value that a property shall have, and how far that is. */
export interface Setting {
  readonly property: string;
  readonly value: string;
  readonly version: string;
  /**
   * The first setting of a property in the life of this mapper: the device may have it already, since before the mapper was
   * restarted. It is read first, and written where it differs.
   */
  readonly compareFirst: boolean;
}

type Result = MapperSettled['results'][string];

interface Entry {
  setting: Setting;
  /** `waiting`: to be written at `dueMs`. `settled`: done, or never tried again. `gone`: nobody wants it any more. */
  state: 'waiting' | 'settled' | 'gone';
  dueMs: number;
  failures: number;
  said: Result | undefined;
}

/**
 * What shall be of one device, from the bus; what of it was written; what is still to be said about it. It outlives changes
 * of the device's configuration, and reconnects: a version that was settled is not written again.
 */
export class DeviceSettings {
  readonly #random: Random;
  readonly #entries = new Map<string, Entry>();
  readonly #toSay = new Set<string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** What shall be now, of all properties: what is not in it is not wanted any more. */
  desire({ values }: MapperDesired): void {
    for (const [property, { value, version }] of Object.entries(values)) {
      const entry = this.#entries.get(property);
      if (entry?.setting.version === version) {
        // It was not wanted for a while, and is again: what was done need not be done again.
        if (entry.state === 'gone') entry.state = entry.said?.ok === true ? 'settled' : 'waiting';
        continue;
      }
      const compareFirst = entry === undefined || (entry.setting.compareFirst && entry.said === undefined);
      const setting = { property, value, version, compareFirst };
      this.#entries.set(property, { setting, state: 'waiting', dueMs: 0, failures: 0, said: undefined });
      this.#toSay.delete(property);
    }
    for (const [property, entry] of this.#entries) {
      if (!Object.hasOwn(values, property)) entry.state = 'gone';
    }
  }

  /** The next that is to be written, if any is. */
  next(nowMs: number): Setting | undefined {
    for (const { state, dueMs, setting } of this.#entries.values()) {
      if (state === 'waiting' && dueMs <= nowMs) return setting;
    }
    return undefined;
  }

  /** When something is to be written next, monotonic; Infinity: nothing is. */
  get nextDueMs(): number {
    let next = Infinity;
    for (const { state, dueMs } of this.#entries.values())
      if (state === 'waiting' && dueMs < next) next = dueMs;
    return next;
  }

  /** Whether it is still what shall be: another one may have come while it was written. */
  isCurrent({ property, version }: Setting): boolean {
    const entry = this.#entries.get(property);
    return entry?.setting.version === version && entry.state === 'waiting';
  }

  /** It was written, or will never be. */
  settle(setting: Setting, ok: boolean, message?: string): void {
    const entry = this.#current(setting);
    if (entry === undefined) return;
    entry.state = 'settled';
    this.#say(entry, ok, message);
  }

  /** It could not be written, and is tried again: later each time. */
  failed(setting: Setting, message: string, nowMs: number): void {
    const entry = this.#current(setting);
    if (entry === undefined) return;
    entry.failures += 1;
    entry.dueMs = nowMs + retryDelayMs(entry.failures, this.#random);
    this.#say(entry, false, `${message}; tried again`);
  }

  /** Says of all that waits why it does: the device is not there. */
  delayed(message: string): void {
    for (const entry of this.#entries.values()) {
      if (entry.state === 'waiting') this.#say(entry, false, `${message}; tried again`);
    }
  }

  /** The device is there again: what waits need not wait any longer. */
  hurry(): void {
    for (const entry of this.#entries.values()) entry.dueMs = 0;
  }

  /** The device has another configuration: what was refused because of the old one may be right now. */
  reconsider(): void {
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'settled' || entry.said?.ok === true) continue;
      entry.state = 'waiting';
      entry.dueMs = 0;
    }
  }

  /** Everything is to be said again: who heard it may have forgotten. */
  sayAll(): void {
    for (const [property, { state, said }] of this.#entries) {
      if (state !== 'gone' && said !== undefined) this.#toSay.add(property);
    }
  }

  /** What is to be said; it counts as said then. */
  take(): MapperSettled['results'] | undefined {
    if (this.#toSay.size === 0) return undefined;
    const results = [...this.#toSay].flatMap((property) => {
      const said = this.#entries.get(property)?.said;
      return said === undefined ? [] : [[property, said] as const];
    });
    this.#toSay.clear();
    return Object.fromEntries(results);
  }

  #current({ property, version }: Setting): Entry | undefined {
    const entry = this.#entries.get(property);
    return entry?.setting.version === version && entry.state !== 'gone' ? entry : undefined;
  }

  #say(entry: Entry, ok: boolean, message: string | undefined): void {
    const { property, version } = entry.setting;
    if (entry.said?.ok === ok && entry.said.message === message) return;
    entry.said = { version, ok, ...(message === undefined ? {} : { message }) };
    this.#toSay.add(property);
  }
}
