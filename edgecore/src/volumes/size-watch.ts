import type { Clock, Logger, Timer } from '@hawser/seams';
import { diskUsage } from './disk-usage.ts';
import { messageOf } from './volume-error.ts';

/** An emptyDir volume with a limit. */
export interface LimitedVolume {
  readonly uid: string;
  readonly name: string;
  readonly folder: string;
  /** As the pod has it. */
  readonly limit: string;
  readonly limitBytes: bigint;
}

/** What a {@link SizeWatch} needs. */
export interface SizeWatchOptions {
  /** What there is to measure now. */
  readonly volumes: () => readonly LimitedVolume[];
  /** A volume is larger than it may be; said each time that it is seen to be. The message is a kubelet's. */
  readonly onOverLimit: (uid: string, message: string) => void;
  readonly periodMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Measuring may take this part of the time: large volumes are looked at less often. */
const SHARE = 0.05;

/** Measures the emptyDir volumes that have a limit, one after the other, again and again. */
export class SizeWatch {
  readonly #options: SizeWatchOptions;
  #stopping = new AbortController();
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(options: SizeWatchOptions) {
    this.#options = options;
  }

  /** Idempotent. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#stopping = new AbortController();
    this.#schedule(this.#options.periodMs);
  }

  /** Gives up what is under way. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the edge is stopping'));
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#round;
  }

  #schedule(waitMs: number): void {
    if (this.#stopping.signal.aborted) return;
    const next = (): void => {
      this.#round = this.#measureAll();
    };
    this.#timer = this.#options.clock.setTimer(waitMs, next, { background: true });
  }

  /** Never rejects. */
  async #measureAll(): Promise<void> {
    const { clock, periodMs, volumes } = this.#options;
    const { signal } = this.#stopping;
    const beganMs = clock.monotonicMs();
    for (const volume of volumes()) {
      if (signal.aborted) return;
      await this.#measure(volume, signal);
    }
    const tookMs = clock.monotonicMs() - beganMs;
    this.#schedule(Math.max(periodMs, tookMs / SHARE));
  }

  async #measure(
    { uid, name, folder, limit, limitBytes }: LimitedVolume,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const usedBytes = await diskUsage(folder, signal);
      if (BigInt(usedBytes) <= limitBytes) return;
      this.#options.onOverLimit(uid, `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `);
    } catch (error) {
      if (signal.aborted) return;
      this.#options.log.warn({ uid, volume: name }, `a volume cannot be measured: ${messageOf(error)}`);
    }
  }
}
