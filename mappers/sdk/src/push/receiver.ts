import { deferred, delay, type Clock, type Deferred, type Logger, type Random } from '@hawser/seams';
import { messageOf } from '../errors.ts';
import { retryDelayMs } from '../lines/retry-delay.ts';
import type { Reading } from './reading.ts';

/** How readings get to a receiver. */
export interface Sender {
  /** For logs and metrics, without secrets. */
  readonly shown: string;
  /** Most readings of one {@link send}. */
  readonly batchMax: number;
  /** Longest time of one {@link send}, milliseconds. */
  readonly timeoutMs: number;
  /**
   * @returns how many of them the receiver will never take
   * @throws Error not now: the same readings come again
   */
  send(readings: readonly Reading[], signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** Settings of {@link Receiver}. */
export interface ReceiverOptions {
  readonly sender: Sender;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Most readings that wait. Default 1,000. */
  readonly limit?: number;
  /** How long the first reading waits for others to go with it, milliseconds. Default 50. */
  readonly lingerMs?: number;
}

/** What became of readings. */
export interface ReceiverSummary {
  readonly receiver: string;
  readonly sent: number;
  readonly dropped: number;
  readonly waiting: number;
}

/**
 * Brings readings to one receiver, in order, several together. What waits is bounded: the oldest is dropped, since of readings the
 * newest are worth most, and a receiver that was away wants a line without holes at its end. One that does not answer is
 * tried again with back-off (0.5 s to 60 s), and holds up nobody but itself.
 */
export class Receiver {
  readonly #options: Required<ReceiverOptions>;
  readonly #stopping = new AbortController();
  #waiting: Reading[] = [];
  #news: Deferred<void> | undefined;
  #running: Promise<void> | undefined;
  #sent = 0;
  #dropped = 0;
  #failures = 0;
  /** Under way. */
  #sending = 0;

  constructor(options: ReceiverOptions) {
    this.#options = { limit: 1_000, lingerMs: 50, ...options };
  }

  get summary(): ReceiverSummary {
    return {
      receiver: this.#options.sender.shown,
      sent: this.#sent,
      dropped: this.#dropped,
      waiting: this.#waiting.length + this.#sending,
    };
  }

  offer(reading: Reading): void {
    if (this.#stopping.signal.aborted) return;
    this.#waiting.push(reading);
    this.#trim();
    this.#running ??= this.#run();
    this.#news?.resolve();
  }

  /** What waits is dropped. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the mapper ends'));
    this.#news?.resolve();
    await this.#running;
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    await this.#options.sender.close();
  }

  async #run(): Promise<void> {
    const { clock, lingerMs, random } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (this.#waiting.length === 0) {
        this.#news = deferred();
        await this.#news.promise;
        this.#news = undefined;
        continue;
      }
      const waitMs = this.#failures === 0 ? lingerMs : retryDelayMs(this.#failures, random);
      await delay(waitMs, { clock, signal }).catch(() => {}); // the loop sees that it was aborted
      await this.#send(signal);
    }
  }

  async #send(stopping: AbortSignal): Promise<void> {
    if (stopping.aborted) return;
    const { sender, log, clock } = this.#options;
    const batch = this.#waiting.splice(0, sender.batchMax);
    this.#sending = batch.length;
    const controller = new AbortController();
    const onStop = (): void => controller.abort(stopping.reason);
    stopping.addEventListener('abort', onStop, { once: true });
    const timer = clock.setTimer(sender.timeoutMs, () =>
      controller.abort(new Error(`no answer within ${sender.timeoutMs} ms`)),
    );
    try {
      const refused = await sender.send(batch, controller.signal);
      this.#sent += batch.length - refused;
      this.#dropped += refused;
      if (this.#failures > 0) log.info({ receiver: sender.shown }, 'readings are taken again');
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      const level = this.#failures === 1 ? log.warn : log.debug;
      level({ receiver: sender.shown, reason: messageOf(error) }, 'readings are not taken');
      this.#waiting = [...batch, ...this.#waiting];
      this.#trim();
    } finally {
      this.#sending = 0;
      timer.cancel();
      stopping.removeEventListener('abort', onStop);
    }
  }

  #trim(): void {
    const over = this.#waiting.length - this.#options.limit;
    if (over <= 0) return;
    this.#waiting.splice(0, over);
    this.#dropped += over;
  }
}
