import { deferred, type Clock, type Deferred, type Logger, type Random } from '@hawser/seams';
import type { ServedDevice } from '../devices/served-device.ts';
import type { Driver } from '../driver.ts';
import { MapperError, messageOf } from '../errors.ts';
import type { MapperStats } from '../metrics/mapper-stats.ts';
import { isLost, openConnection, type OpenConnection } from './open-connection.ts';
import { LineWork, type ReadNow } from './line-work.ts';
import { retryDelayMs } from './retry-delay.ts';

/** What lines share. */
export interface LineContext {
  readonly driver: Driver;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly stats: MapperStats;
}

/** `idle`: without devices. */
export type LineState = 'idle' | 'opening' | 'open' | 'waiting';

/**
 * One connection and the devices behind it: opened when there is a device, closed when there is none, opened again with
 * back-off (0.5 s to 60 s) where it breaks. One loop does everything, so that two calls never overlap. Steps:
 *
 * 1. wait for a device
 * 2. open; where that fails, all devices have failed: wait, again
 * 3. do what {@link LineWork} says is next, until the connection is lost, nobody needs it, or it is to be opened anew
 * 4. close
 */
export class Line {
  readonly key: string;
  readonly #context: LineContext;
  readonly #onIdle: (line: Line) => void;
  readonly #work: LineWork;
  readonly #stopping = new AbortController();
  #state: LineState = 'idle';
  #running: Promise<void> | undefined;
  #wakeUp: Deferred<void> | undefined;
  #news = false;
  #failures = 0;
  #lostReason: Error | undefined;
  #openedBy: { readonly id: string; readonly config: string } | undefined;

  /** @param onIdle called when the last device is gone and the connection is closed */
  constructor(key: string, context: LineContext, onIdle: (line: Line) => void) {
    this.key = key;
    this.#context = context;
    this.#onIdle = onIdle;
    this.#work = new LineWork(context);
  }

  get state(): LineState {
    return this.#state;
  }

  get size(): number {
    return this.#work.devices.size;
  }

  /** Adds a device, or replaces the one of the same id. */
  add(device: ServedDevice): void {
    this.#work.add(device);
    this.#running ??= this.#run();
    this.wake();
  }

  remove(id: string): void {
    this.#work.remove(id);
    this.wake();
  }

  /** A reading that somebody asked for. Refused at once where the connection is not open. */
  readNow(request: ReadNow): void {
    if (this.#state === 'waiting') request.reject(this.#awayReason());
    else this.#work.ask(request);
    this.wake();
  }

  /** There is something new to do. */
  wake(): void {
    this.#news = true;
    this.#wakeUp?.resolve();
  }

  /** Ends what is under way, and closes. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new MapperError('ERR_MAPPER_NO_ANSWER', 'the mapper ends'));
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (this.size === 0) {
        this.#state = 'idle';
        this.#onIdle(this);
        await this.#waitUntil(Infinity);
        continue;
      }
      const connection = await this.#open();
      if (connection === undefined) continue;
      try {
        await this.#serve(connection);
      } finally {
        await connection.close();
      }
    }
    this.#work.rejectAll(new MapperError('ERR_MAPPER_NO_ANSWER', 'the mapper ends'));
  }

  /** @returns undefined: it could not be opened, and it has been waited for the next attempt */
  async #open(): Promise<OpenConnection | undefined> {
    const { log, stats } = this.#context;
    const { signal } = this.#stopping;
    const [first] = this.#work.devices.values();
    if (first === undefined) return undefined;
    this.#state = 'opening';
    this.#lostReason = undefined;
    try {
      const connection = await openConnection(this.#context, first.address, signal, (reason) => {
        this.#lostReason ??= reason;
        this.wake();
      });
      stats.opened += 1;
      this.#openedBy = { id: first.id, config: JSON.stringify(first.address.config) };
      this.#state = 'open';
      log.info({ connection: this.key }, 'the connection is open');
      return connection;
    } catch (error) {
      if (isAborted(signal)) return undefined;
      stats.openFailures += 1;
      this.#lostReason = error as Error;
      await this.#waitAfterFailure();
      return undefined;
    }
  }

  async #waitAfterFailure(): Promise<void> {
    this.#failures += 1;
    const reason = this.#awayReason();
    const waitMs = retryDelayMs(this.#failures, this.#context.random);
    const log = this.#failures === 1 ? this.#context.log.warn : this.#context.log.debug;
    log({ connection: this.key, reason: reason.message, againInMs: Math.round(waitMs) }, 'cannot connect');
    for (const device of this.#work.devices.values()) device.failed(reason);
    this.#work.rejectAll(reason);
    await this.#waitMs(waitMs);
  }

  /** News do not shorten the wait, only an end of all devices does; but whoever asks for something is told. */
  async #waitMs(waitMs: number): Promise<void> {
    const { clock } = this.#context;
    const untilMs = clock.monotonicMs() + waitMs;
    this.#state = 'waiting';
    while (this.size > 0 && !this.#stopping.signal.aborted && clock.monotonicMs() < untilMs) {
      await this.#waitUntil(untilMs);
      const reason = this.#awayReason();
      for (const device of this.#work.devices.values()) {
        if (device.state === 'unknown' && !device.isAway) device.failed(reason);
        else device.delayed(reason);
      }
    }
  }

  /** Works until the connection is of no use any more. */
  async #serve(connection: OpenConnection): Promise<void> {
    const { clock, log, stats, random } = this.#context;
    const { signal } = this.#stopping;
    this.#work.begin();
    let answered = false;
    while (!signal.aborted && this.size > 0 && this.#lostReason === undefined && !this.#isOutdated()) {
      this.#news = false;
      const job = this.#work.next(clock.monotonicMs());
      if (job === undefined) {
        await this.#waitUntil(this.#work.nextDueMs());
        continue;
      }
      try {
        answered = (await job(connection, signal)) || answered;
      } catch (error) {
        if (isAborted(signal)) return;
        // What is not expected is a mistake in this program; the connection is in a state that nobody knows.
        if (!isLost(error)) log.error({ connection: this.key, err: error }, 'something unexpected happened');
        this.#lostReason ??= error as Error;
      }
    }
    if (this.#lostReason === undefined) return;
    stats.lost += 1;
    log.warn({ connection: this.key, reason: messageOf(this.#lostReason) }, 'the connection is lost');
    await connection.close();
    // One that breaks before anybody has answered is like one that cannot be opened.
    if (!answered) return this.#waitAfterFailure();
    this.#failures = 0;
    await this.#waitMs(retryDelayMs(1, random));
  }

  /** The device that the connection was opened with has another configuration. */
  #isOutdated(): boolean {
    if (this.#openedBy === undefined) return false;
    const device = this.#work.devices.get(this.#openedBy.id);
    if (device === undefined || !this.#work.isNew(device)) return false;
    return JSON.stringify(device.address.config) !== this.#openedBy.config;
  }

  #awayReason(): MapperError {
    const reason = this.#lostReason;
    return new MapperError('ERR_MAPPER_NO_ANSWER', `cannot be reached: ${messageOf(reason ?? 'not yet')}`, {
      cause: reason,
    });
  }

  async #waitUntil(dueMs: number): Promise<void> {
    const { clock } = this.#context;
    if (this.#news || this.#stopping.signal.aborted) {
      this.#news = false;
      return;
    }
    this.#wakeUp = deferred();
    const wake = this.#wakeUp;
    const timer =
      dueMs === Infinity ? undefined : clock.setTimer(dueMs - clock.monotonicMs(), () => wake.resolve());
    await wake.promise;
    timer?.cancel();
    this.#wakeUp = undefined;
    this.#news = false;
  }
}

/** Asked anew after each await, which a narrowed property would not be. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
