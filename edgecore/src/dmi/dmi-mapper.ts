import type { Clock, Logger, Random, Timer } from '@hawser/seams';
import { TokenBucket } from '../event-bus/embedded/token-bucket.ts';
import type { DescribedDevice } from './device-describer.ts';
import type { DmiCounters } from './dmi-counters.ts';
import { MapperLink } from './mapper-link.ts';
import { MapperOrders } from './mapper-orders.ts';
import type { Registration } from './registration.ts';

/** Times of a mapper, milliseconds; tests have shorter ones. */
export interface DmiTimes {
  /** For a call to the mapper. KubeEdge's framework waits up to 3 s for a model. */
  readonly callMs: number;
  /** Between looks whether it is there. */
  readonly probeMs: number;
  /** For its answer to that. */
  readonly answerMs: number;
  /** A mapper from which nothing came for so long is gone, or hangs. */
  readonly silentMs: number;
  /** One that is silent for so long is forgotten. */
  readonly forgetMs: number;
}

/** See {@link DmiTimes}. */
export const DMI_TIMES: DmiTimes = {
  callMs: 10_000,
  probeMs: 5_000,
  answerMs: 5_000,
  silentMs: 15_000,
  forgetMs: 60 * 60_000,
};

/** What a {@link DmiMapper} needs. */
export interface DmiMapperOptions {
  readonly registration: Registration;
  readonly describe: (id: string) => Promise<DescribedDevice | undefined>;
  readonly onAnswer: (device: DescribedDevice, refusal: string | undefined) => void;
  /** Something came from it after silence, or nothing for {@link DmiTimes.silentMs}. */
  readonly onSilent: (silent: boolean) => void;
  /** Was silent for {@link DmiTimes.forgetMs}. */
  readonly onForgotten: () => void;
  /** Called with each look whether it is there. */
  readonly onLook: () => void;
  /** What the mapper may have got lost while nobody saw it; ids of all devices that it is to have. */
  readonly ids: () => Iterable<string>;
  readonly callsPerSecond: number;
  readonly counters: DmiCounters;
  readonly times: DmiTimes;
  readonly clock: Clock;
  readonly random?: Random | undefined;
  readonly log: Logger;
}

/** A mapper that has registered: whether it is there, what it is told, and how much it may say. */
export class DmiMapper {
  readonly registration: Registration;
  readonly orders: MapperOrders;
  readonly #options: DmiMapperOptions;
  readonly #link: MapperLink;
  readonly #bucket: TokenBucket;
  #heardMs: number;
  #silent = false;
  /** There is no connection since it last answered: it may be another process by now. */
  #lost = false;
  #answeredOnce = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: DmiMapperOptions) {
    const { registration, describe, onAnswer, counters, times, clock, random, log, callsPerSecond } = options;
    this.#options = options;
    this.registration = registration;
    this.#link = new MapperLink(registration.address);
    this.#bucket = new TokenBucket(callsPerSecond, clock);
    this.#heardMs = clock.monotonicMs();
    this.orders = new MapperOrders({
      ...{ link: this.#link, describe, onAnswer, counters, timeoutMs: times.callMs, clock, random, log },
      onHeard: () => this.heard(),
    });
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** Begins to see whether it is there. */
  start(): void {
    void this.#look();
  }

  /** It is called no more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#link.close();
    await this.orders.stop();
  }

  /** Whether it may say one thing more now. */
  take(): boolean {
    return this.#bucket.take() === 0;
  }

  /** Something came from it. */
  heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    if (!this.#silent || this.#stopped) return;
    this.#silent = false;
    this.#options.onSilent(false);
  }

  /** Whether it answers now. Never rejects. */
  async answers(timeoutMs: number): Promise<boolean> {
    return (await this.#link.probe(timeoutMs)) === 'answers';
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { times, clock, onLook, onSilent, onForgotten, ids } = this.#options;
    const beganMs = clock.monotonicMs();
    const found = await this.#link.probe(times.answerMs);
    if (this.#stopped) return;
    onLook();
    if (found === 'answers') {
      this.heard();
      if (this.#lost) this.orders.forget(ids());
      else if (!this.#answeredOnce) this.orders.resume();
      this.#answeredOnce = true;
      this.#lost = false;
    } else {
      // One that has just registered need not serve yet.
      this.#lost ||= this.#answeredOnce && found === 'gone';
      if (this.#lost) this.orders.pause();
      const quietMs = clock.monotonicMs() - this.#heardMs;
      if (quietMs >= times.forgetMs) {
        onForgotten();
        return;
      }
      if (quietMs >= times.silentMs && !this.#silent) {
        this.#silent = true;
        onSilent(true);
      }
    }
    const waitMs = Math.max(0, times.probeMs - (clock.monotonicMs() - beganMs));
    this.#timer = clock.setTimer(waitMs, () => void this.#look(), { background: true });
  }
}
