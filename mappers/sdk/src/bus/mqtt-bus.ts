import { Backoff, delay, systemClock, type Clock, type Logger, type Random } from '@hawser/seams';
import { MapperError, messageOf } from '../errors.ts';
import type { BusListener, MapperBus, SendOptions } from './mapper-bus.ts';
import { MqttSession } from './mqtt-session.ts';

/** Settings of {@link MqttBus}. */
export interface MqttBusOptions {
  /** `mqtt://127.0.0.1:1883`, `mqtts://…`, `ws://…`. */
  readonly url: string;
  /** User name, and the first part of the client id. */
  readonly name: string;
  readonly secret: string | undefined;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Back-off between attempts, milliseconds; default 250 and 15,000. */
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
}

/** How long a connection has to last to forget the failures before it, milliseconds. */
const STEADY_MS = 5_000;

/**
 * The event bus over MQTT 3.1.1: one clean session after another. There is no will: a mapper that is gone is known by the
 * silence of its heartbeat, which is also how one that hangs is known.
 */
export class MqttBus implements MapperBus {
  readonly #options: MqttBusOptions;
  readonly #stopping = new AbortController();
  #session: MqttSession | undefined;
  #running: Promise<void> | undefined;

  constructor(options: MqttBusOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  start(filters: readonly string[], listener: BusListener): void {
    this.#running ??= this.#run(filters, listener);
  }

  publish(topic: string, payload: string, options: SendOptions = {}): Promise<void> {
    if (this.#session === undefined) {
      return Promise.reject(new MapperError('ERR_MAPPER_BUS_AWAY', 'the event bus is not connected'));
    }
    return this.#session.publish(topic, payload, options);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new MapperError('ERR_MAPPER_BUS_AWAY', 'the mapper ends'));
    await this.#running;
  }

  async #run(filters: readonly string[], listener: BusListener): Promise<void> {
    const { clock = systemClock, log, random } = this.#options;
    const { signal } = this.#stopping;
    const backoff = new Backoff({
      ...(this.#options.backoff ?? { baseMs: 250, capMs: 15_000 }),
      ...(random === undefined ? {} : { random }),
    });
    let told = '';
    const stopped = whenAborted(signal);
    while (!signal.aborted) {
      const { reason, wasUp } = await this.#connectOnce(filters, listener, backoff, stopped);
      if (isStopping(signal)) return;
      const waitMs = backoff.nextMs();
      // An operator is told once of each reason: it may be away for a week.
      const level = wasUp || told !== messageOf(reason) ? log.warn : log.debug;
      told = messageOf(reason);
      level({ reason: told, againInMs: Math.round(waitMs) }, 'the event bus is away');
      await delay(waitMs, { clock, signal }).catch(() => {}); // the loop sees that it was aborted
    }
  }

  /** @returns why it ended, and whether it had begun */
  async #connectOnce(
    filters: readonly string[],
    listener: BusListener,
    backoff: Backoff,
    stopped: Promise<unknown>,
  ): Promise<{ readonly reason: unknown; readonly wasUp: boolean }> {
    const { clock = systemClock } = this.#options;
    const { signal } = this.#stopping;
    let wasUp = false;
    const session = new MqttSession(this.#options);
    try {
      await session.open((topic, payload) => listener.onMessage(topic, payload), signal);
      this.#session = session;
      await session.subscribe(filters);
      const sinceMs = clock.monotonicMs();
      this.#options.log.info({ url: session.shownUrl }, 'the event bus is connected');
      wasUp = true;
      listener.onUp();
      const reason = await Promise.race([session.ended, stopped]);
      if (clock.monotonicMs() - sinceMs > STEADY_MS) backoff.reset();
      return { reason, wasUp };
    } catch (reason) {
      return { reason, wasUp };
    } finally {
      this.#session = undefined;
      await session.close(signal.aborted);
      if (wasUp) listener.onDown(new MapperError('ERR_MAPPER_BUS_AWAY', 'the connection has ended'));
    }
  }
}

/** Asked anew after each await, which a narrowed property would not be. */
function isStopping(signal: AbortSignal): boolean {
  return signal.aborted;
}

function whenAborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}
