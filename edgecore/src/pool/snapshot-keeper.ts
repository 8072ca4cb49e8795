import { Alarm } from '@hawser/sync';
import type { PoolStore } from '@hawser/sync';
import type { Clock, Logger } from '@hawser/seams';
import type { PoolCounters } from './pool-counters.ts';
import type { SnapshotStore } from './snapshot-folder.ts';

/** What a {@link SnapshotKeeper} is made of. */
export interface SnapshotKeeperOptions {
  readonly folder: SnapshotStore;
  readonly store: PoolStore;
  readonly counters: PoolCounters;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Between two snapshots of a scope: flash wears. */
const PERIOD_MS = 600_000;
/**
 * The first one of a scope that has none follows its state so soon: a member that loses its power in its first seconds, with
 * the cloud, has to know its peers when it is back.
 */
const FIRST_MS = 500;
/** Between two snapshots of what a member cannot find its pool without. */
const VITAL_PERIOD_MS = 5_000;
/** Bytes that may be written in an hour; the stop may go beyond it once. */
const HOUR_BYTES = 32 * 1024 * 1024;
const HOUR_MS = 3_600_000;
/** After a disk that refused. */
const RETRY_MS = 60_000;

/** Writes snapshots of what is committed, not too often, and reads them at the start. */
export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  readonly #alarm: Alarm;
  /** Scopes that differ from their snapshots, and when they may be written, monotonic milliseconds. */
  readonly #due = new Map<string, number>();
  readonly #writtenMs = new Map<string, number>();
  /** What was written within the last hour. */
  #written: { readonly atMs: number; readonly bytes: number }[] = [];
  #writing: Promise<void> | undefined;
  #stopped = false;

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.#wake());
  }

  /** Looks after a disk that takes no writes: this node may not lead meanwhile. */
  start(): void {
    if (!this.#options.folder.writable) this.#alarm.setAt(this.#options.clock.monotonicMs() + RETRY_MS);
  }

  /** Gives the store what the folder has of a scope. Whether there was anything. */
  async restore(scope: string): Promise<boolean> {
    const { folder, store, counters } = this.#options;
    const snapshot = await folder.load(scope);
    if (snapshot === undefined) return false;
    try {
      store.restore(scope, snapshot);
      this.#writtenMs.set(scope, this.#options.clock.monotonicMs());
      counters.receivedBytes.snapshot += store.bytes(scope);
      return true;
    } catch (error) {
      await folder.setAside(scope, error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  /**
   * A scope has another state than before.
   * @param vital whether this node, after a power cut without a cloud, cannot do with what the disk has
   */
  changed(scope: string, vital = false): void {
    if (this.#stopped || (this.#due.has(scope) && !vital)) return;
    const nowMs = this.#options.clock.monotonicMs();
    const lastMs = this.#writtenMs.get(scope) ?? -Infinity;
    const leastMs = vital || lastMs === -Infinity ? nowMs + FIRST_MS : nowMs;
    const periodMs = vital ? VITAL_PERIOD_MS : PERIOD_MS;
    const dueMs = Math.min(this.#due.get(scope) ?? Infinity, Math.max(leastMs, lastMs + periodMs));
    this.#due.set(scope, dueMs);
    this.#alarm.setAt(dueMs);
  }

  /** A scope is gone. */
  forget(scope: string): void {
    this.#due.delete(scope);
    this.#writtenMs.delete(scope);
  }

  /** Writes what is due, without regard to time. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#alarm.cancel();
    await this.#writing;
    for (const scope of [...this.#due.keys()]) await this.#write(scope);
  }

  #wake(): void {
    if (this.#stopped) return;
    this.#writing ??= this.#writeDue().finally(() => {
      this.#writing = undefined;
      const { folder, clock } = this.#options;
      const probeMs = folder.writable ? Infinity : clock.monotonicMs() + RETRY_MS;
      const nextMs = Math.min(...this.#due.values(), probeMs);
      if (!this.#stopped && nextMs < Infinity) this.#alarm.setAt(nextMs);
    });
  }

  async #writeDue(): Promise<void> {
    const { clock, folder, log } = this.#options;
    if (!folder.writable)
      await folder.probe().catch((error: unknown) => {
        log.debug({ err: error }, 'the disk still takes no snapshots');
      });
    for (const [scope, dueMs] of [...this.#due]) {
      if (this.#stopped) return;
      if (dueMs > clock.monotonicMs()) continue;
      if (this.#room() > 0) await this.#write(scope);
      else this.#due.set(scope, clock.monotonicMs() + RETRY_MS);
    }
  }

  async #write(scope: string): Promise<void> {
    const { folder, store, counters, clock, log } = this.#options;
    this.#due.delete(scope);
    // In a thread where it is large: packing 16 MB would hold up heartbeats for 0.2 s and more.
    const snapshot = await store.snapshotAside(scope);
    if (snapshot === undefined) return;
    const nowMs = clock.monotonicMs();
    try {
      await folder.save(scope, snapshot);
      this.#writtenMs.set(scope, nowMs);
      this.#written.push({ atMs: nowMs, bytes: snapshot.length });
      counters.snapshots.written += 1;
      counters.snapshots.bytes += snapshot.length;
    } catch (error) {
      counters.snapshots.failed += 1;
      log.warn({ err: error, scope }, 'the disk does not take a snapshot of the pool');
      if (!this.#stopped) this.#due.set(scope, nowMs + RETRY_MS);
    }
  }

  /** Bytes that may still be written in this hour. */
  #room(): number {
    const sinceMs = this.#options.clock.monotonicMs() - HOUR_MS;
    this.#written = this.#written.filter(({ atMs }) => atMs > sinceMs);
    return HOUR_BYTES - this.#written.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
