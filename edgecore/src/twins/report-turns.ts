import type { Clock } from '@hawser/seams';
import { Alarm } from '@hawser/sync';

/** What {@link ReportTurns} needs. */
export interface ReportTurnsOptions {
  /** When a device has something to say, monotonic; Infinity: nothing, -Infinity: at once. */
  readonly dueMs: (id: string) => number;
  /** Has it say that. */
  readonly speak: (id: string) => void;
  /** Reports of all devices in a second. */
  readonly perSecond: number;
  readonly clock: Clock;
}

/** Part of a second whose reports may go at once. */
const BURST_SECONDS = 0.25;

/**
 * Gives devices their turns: one that is due speaks at once while the node may say more, else after those that were due
 * before it, so that none of them keeps others from speaking. Nobody speaks while it is closed.
 */
export class ReportTurns {
  readonly #options: ReportTurnsOptions;
  readonly #alarm: Alarm;
  /** Those that will be due, and those that are, in the order in which they became so. */
  readonly #waiting = new Map<string, number>();
  readonly #due = new Set<string>();
  readonly #most: number;
  #tokens: number;
  #filledMs: number;
  #open = false;
  /** Turns that had to wait because the node had said as much as it may. */
  paced = 0;

  constructor(options: ReportTurnsOptions) {
    this.#options = options;
    this.#most = Math.max(1, Math.ceil(options.perSecond * BURST_SECONDS));
    this.#tokens = this.#most;
    this.#filledMs = options.clock.monotonicMs();
    this.#alarm = new Alarm(options.clock, () => this.#ring());
  }

  /** Devices that are due and have not spoken. */
  get waiting(): number {
    return this.#due.size;
  }

  /** Devices may speak, or not any more. */
  setOpen(open: boolean): void {
    this.#open = open;
    if (open) this.#ring();
    else this.#alarm.cancel();
  }

  /** What the device has to say may be another thing than before. */
  look(id: string): void {
    if (this.#due.has(id)) return;
    const dueMs = this.#options.dueMs(id);
    if (dueMs === Infinity) {
      this.#waiting.delete(id);
      return;
    }
    this.#waiting.set(id, dueMs);
    if (this.#open) this.#alarm.setAt(Math.max(dueMs, this.#options.clock.monotonicMs()));
  }

  /** The device is gone, or has nothing to say for the moment. */
  leave(id: string): void {
    this.#waiting.delete(id);
    this.#due.delete(id);
  }

  stop(): void {
    this.setOpen(false);
    this.#waiting.clear();
    this.#due.clear();
  }

  #ring(): void {
    const { clock, speak, perSecond } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#fill(nowMs);
    let nextMs = Infinity;
    for (const [id, dueMs] of this.#waiting) {
      if (dueMs > nowMs) {
        nextMs = Math.min(nextMs, dueMs);
        continue;
      }
      this.#waiting.delete(id);
      this.#due.add(id);
      if (this.#tokens < this.#due.size) this.paced += 1;
    }
    for (const id of this.#due) {
      if (!this.#open || this.#tokens < 1) break;
      this.#tokens -= 1;
      this.#due.delete(id);
      speak(id);
    }
    if (!this.#open) return;
    if (this.#due.size > 0) nextMs = Math.min(nextMs, nowMs + ((1 - this.#tokens) * 1_000) / perSecond);
    this.#alarm.setAt(nextMs);
  }

  #fill(nowMs: number): void {
    const added = ((nowMs - this.#filledMs) * this.#options.perSecond) / 1_000;
    this.#tokens = Math.min(this.#most, this.#tokens + added);
    this.#filledMs = nowMs;
  }
}
