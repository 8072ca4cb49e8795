import type { Clock, Logger } from '@hawser/seams';
import { Alarm } from '@hawser/sync';
import type { StateStore } from '../store/state-store.ts';
import { packSnapshot, unpackSnapshot, type TwinSnapshot } from './twin-snapshot.ts';

/** What {@link TwinSnapshots} needs. */
export interface TwinSnapshotsOptions {
  readonly state: StateStore;
  /** What there is to keep of a device now, by `<namespace>/<name>`; undefined: nothing. */
  readonly snapshotOf: (id: string) => TwinSnapshot | undefined;
  /** Each device is written no more often, milliseconds. */
  readonly periodMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What was done since the start; for metrics. */
export interface SnapshotCounters {
  readonly written: number;
  readonly removed: number;
  /** Values that were too long, or for which there was no room. */
  readonly leftOut: number;
  readonly failedWrites: number;
}

const PREFIX = 'twin/';
/** A twin that the cloud has not taken for so long is written, milliseconds. */
const AFTER_MS = 5_000;
/** What will have waited that long soon is written along: one flush for many. */
const ALONG_MS = 2_500;
/** One snapshot, packed. The state takes values of 64 KiB. */
const LIMIT_BYTES = 48 * 1024;
/** All of them: half of what the state takes. */
const LIMIT_TOTAL_BYTES = 2 * 1024 * 1024;
const RETRY_MS = 10_000;

interface Device {
  /** Since when the cloud has not taken what it is like, monotonic; undefined: it has. */
  sinceMs: number | undefined;
  /** When it was last written, monotonic. */
  writtenMs: number;
  /** Whether it has changed since it was written. */
  dirty: boolean;
  /** Whether the cloud has it: what is on the disk goes. */
  taken: boolean;
  /** Bytes on the disk; 0: nothing. */
  bytes: number;
}

/**
 * Twins on the disk: only those that the cloud has not taken for 5 s, and each no more often than once in the period, so
 * that devices do not wear out flash. What becomes due together is written together, in one transaction of the store. What
 * the cloud has taken is removed. Beyond 2 MiB the rest is not kept: counted, said once.
 */
export class TwinSnapshots {
  readonly #options: TwinSnapshotsOptions;
  readonly #devices = new Map<string, Device>();
  readonly #alarm: Alarm;
  #bytes = 0;
  #isFull = false;
  readonly #underWay = new Set<Promise<void>>();
  #counters = { written: 0, removed: 0, leftOut: 0, failedWrites: 0 };

  constructor(options: TwinSnapshotsOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.#writeDue());
  }

  counters(): SnapshotCounters {
    return { ...this.#counters };
  }

  /** Snapshots on the disk. */
  get kept(): number {
    let kept = 0;
    for (const { bytes } of this.#devices.values()) if (bytes > 0) kept += 1;
    return kept;
  }

  /** What the disk has, by id. */
  load(): ReadonlyMap<string, TwinSnapshot> {
    const { state } = this.#options;
    const found = new Map<string, TwinSnapshot>();
    for (const key of state.keys()) {
      const bytes = key.startsWith(PREFIX) ? state.get(key) : undefined;
      if (bytes === undefined) continue;
      const id = key.slice(PREFIX.length);
      this.#device(id).bytes = bytes.length;
      this.#bytes += bytes.length;
      const snapshot = unpackSnapshot(bytes);
      if (snapshot !== undefined) found.set(id, snapshot);
    }
    return found;
  }

  /** The cloud has not taken what the device is like; it is other than it was when it was written. */
  waits(id: string): void {
    const device = this.#device(id);
    device.sinceMs ??= this.#options.clock.monotonicMs();
    device.dirty = true;
    device.taken = false;
    this.#alarm.setAt(this.#dueMs(device));
  }

  /** The device only waits for its turn to speak: that is no reason to write it. What is on the disk stays. */
  postpone(id: string): void {
    const device = this.#devices.get(id);
    if (device !== undefined) device.sinceMs = undefined;
  }

  /** The cloud has taken what the device is like, or it is gone. */
  taken(id: string): void {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    device.sinceMs = undefined;
    device.dirty = false;
    device.taken = true;
    if (device.bytes > 0) this.#remove(id, device);
  }

  /** The device is gone. */
  forget(id: string): void {
    this.taken(id);
    this.#devices.delete(id);
  }

  /** Writes all that the cloud has not taken, whatever was written when. Resolves once it is durable, or refused. */
  async finish(): Promise<void> {
    this.#alarm.cancel();
    for (const [id, device] of this.#devices) if (device.dirty) this.#write(id, device);
    await Promise.all(this.#underWay);
    this.#alarm.cancel();
  }

  #device(id: string): Device {
    let device = this.#devices.get(id);
    if (device === undefined) {
      device = { sinceMs: undefined, writtenMs: -Infinity, dirty: false, taken: false, bytes: 0 };
      this.#devices.set(id, device);
    }
    return device;
  }

  #dueMs({ sinceMs, writtenMs, dirty }: Device, afterMs = AFTER_MS): number {
    if (sinceMs === undefined || !dirty) return Infinity;
    return Math.max(sinceMs + afterMs, writtenMs + this.#options.periodMs);
  }

  #writeDue(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [id, device] of this.#devices) {
      if (this.#dueMs(device, ALONG_MS) <= nowMs) this.#write(id, device);
      else this.#alarm.setAt(this.#dueMs(device));
    }
  }

  #write(id: string, device: Device): void {
    device.dirty = false;
    device.writtenMs = this.#options.clock.monotonicMs();
    const snapshot = this.#options.snapshotOf(id);
    if (snapshot === undefined) return;
    const { bytes, leftOut } = packSnapshot(snapshot, LIMIT_BYTES);
    this.#counters.leftOut += leftOut;
    const total = this.#bytes - device.bytes + bytes.length;
    if (total > LIMIT_TOTAL_BYTES) {
      this.#counters.leftOut += Object.keys(snapshot.values).length - leftOut;
      if (!this.#isFull)
        this.#options.log.warn({ device: id }, 'more twins wait for the cloud than are kept on the disk');
      this.#isFull = true;
      if (device.bytes > 0) this.#remove(id, device);
      return;
    }
    this.#follow(
      id,
      this.#options.state.set(PREFIX + id, bytes),
      'written',
      this.#account(device, bytes.length),
    );
  }

  #remove(id: string, device: Device): void {
    this.#isFull = false;
    this.#follow(id, this.#options.state.delete(PREFIX + id), 'removed', this.#account(device, 0));
  }

  /** @returns undoes it */
  #account(device: Device, bytes: number): () => void {
    const before = device.bytes;
    this.#bytes += bytes - before;
    device.bytes = bytes;
    return () => this.#account(device, before);
  }

  #follow(id: string, change: Promise<void>, what: 'written' | 'removed', undo: () => void): void {
    const followed: Promise<void> = change
      .then(
        () => {
          this.#counters[what] += 1;
        },
        (error: unknown) => {
          undo();
          this.#failed(id, error);
        },
      )
      .finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
  }

  /** It is tried again, as what it should be then. */
  #failed(id: string, error: unknown): void {
    this.#counters.failedWrites += 1;
    this.#options.log.debug({ err: error, device: id }, 'a twin could not be written; tried again');
    const device = this.#devices.get(id);
    if (device === undefined) return;
    device.dirty = !device.taken;
    this.#options.clock.setTimer(RETRY_MS, () => this.#tryAgain(id), { background: true });
  }

  #tryAgain(id: string): void {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    if (device.taken) this.taken(id);
    else this.#alarm.setAt(this.#dueMs(device));
  }
}
