import {
  deviceTopic,
  formatValue,
  mapperDeviceTopic,
  type BoundDevice,
  type ConfigData,
  type MapperDevice,
  type StateUpdate,
  type TwinMessage,
} from '@hawser/devices';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { DeviceAddress, DriverValue, Visit, VisitResult } from '../driver.ts';
import { messageOf } from '../errors.ts';
import { retryDelayMs } from '../lines/retry-delay.ts';
import type { MapperStats } from '../metrics/mapper-stats.ts';
import { DeviceHealth, UNHEALTHY_AFTER, type HealthState } from './device-health.ts';
import type { DeviceSettings } from './device-settings.ts';
import { PollPlan, type Batch } from './poll-plan.ts';
import type { BusText } from '../reports/reporter.ts';

/** What takes readings beside the twin; see `pushMethod`. */
export interface ReadingSink {
  /** @param atMs when it was read, wall clock */
  offer(text: string, atMs: number): void;
}

/** What a device is made of. */
export interface ServedDeviceOptions {
  readonly told: MapperDevice;
  /** Configuration and visitors with the defaults of the schemas, by property. */
  readonly config: ConfigData;
  readonly visits: readonly Visit[];
  readonly settings: DeviceSettings;
  /** By property, in order; undefined: its readings go nowhere else. */
  readonly sinks: readonly (ReadingSink | undefined)[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly stats: MapperStats;
  /** Calls when there is something to be said of the device. */
  readonly onNews: (device: ServedDevice) => void;
}

/** State, values and errors of one device, and what of it is still to be said on the bus. Knows nothing of connections. */
export class ServedDevice {
  readonly id: string;
  readonly bound: BoundDevice;
  readonly revision: string;
  readonly address: DeviceAddress;
  readonly visits: readonly Visit[];
  readonly settings: DeviceSettings;
  readonly #options: ServedDeviceOptions;
  readonly #health = new DeviceHealth();
  readonly #raw: (DriverValue | undefined)[];
  readonly #texts: (string | undefined)[];
  readonly #readMs: number[];
  readonly #errorRuns: number[];
  /** How many values the device had said by itself when it said the one of each property. */
  readonly #saidAt: number[];
  #sayings = 0;
  readonly #changed = new Set<number>();
  readonly #indexOf: ReadonlyMap<string, number>;
  #plan: PollPlan<Visit>;
  #retryAtMs = 0;
  #stateSaidMs = -Infinity;
  #stateNews = false;
  #errors = 0;
  #muted = false;

  constructor(options: ServedDeviceOptions) {
    const { told, config, visits, settings } = options;
    this.#options = options;
    this.bound = told.device;
    this.revision = told.revision;
    this.id = `${told.device.namespace}/${told.device.name}`;
    this.address = { id: this.id, config };
    this.visits = visits;
    this.settings = settings;
    this.#raw = visits.map(() => undefined);
    this.#texts = visits.map(() => undefined);
    this.#readMs = visits.map(() => 0);
    this.#errorRuns = visits.map(() => 0);
    this.#saidAt = visits.map(() => 0);
    this.#indexOf = new Map(visits.map(({ property }, index) => [property, index]));
    this.#plan = this.#planWithout(new Set());
  }

  get state(): HealthState {
    return this.#health.state;
  }

  /** Whether it did not answer the last time. */
  get isAway(): boolean {
    return this.#health.failures > 0;
  }

  /** Errors of the device and its properties since it is served. */
  get errors(): number {
    return this.#errors;
  }

  /** When it is to be read next, monotonic: as its cycles say, or later where it does not answer. */
  get dueMs(): number {
    return this.isAway ? this.#retryAtMs : this.#plan.nextDueMs;
  }

  indexOf(property: string): number | undefined {
    return this.#indexOf.get(property);
  }

  textOf(property: string): string | undefined {
    const index = this.#indexOf.get(property);
    return index === undefined ? undefined : this.#texts[index];
  }

  /** Begins to be read, all of it at once. @param except properties that the device says by itself */
  begin(except: readonly string[] = []): void {
    const indices = except.flatMap((property) => this.#indexOf.get(property) ?? []);
    this.#plan = this.#planWithout(new Set(indices));
    this.#plan.restart(this.#options.clock.monotonicMs(), this.#options.random);
  }

  /** What is due; see {@link PollPlan.take}. A device that was away has missed nothing. */
  takeDue(nowMs: number): Batch<Visit> | undefined {
    const taken = this.#plan.take(nowMs);
    if (taken === undefined) return undefined;
    if (!this.isAway) this.#options.stats.lateCycles += taken.missed;
    return taken.batch;
  }

  /** All properties. */
  everything(): Batch<Visit> {
    return { indices: this.visits.map((_, index) => index), visits: this.visits };
  }

  /** How many values it has said by itself: to be taken before a reading, for {@link answered}. */
  get sayings(): number {
    return this.#sayings;
  }

  /**
   * The device has answered a reading.
   * @param since {@link sayings} when the reading began: what was said later is newer than what was read
   * @returns whether it was away before
   */
  answered(indices: readonly number[], results: readonly VisitResult[], since = this.#sayings): boolean {
    const atMs = this.#options.clock.wallMs();
    indices.forEach((index, at) => {
      if ((this.#saidAt[index] ?? 0) > since) return;
      const result = results[at] ?? { error: new Error('the driver gave no result') };
      if ('error' in result) this.#failedProperty(index, result.error);
      else this.#take(index, result.value, atMs);
    });
    const wasAway = this.isAway;
    const worst = this.#errorRuns.reduce((most, run) => Math.max(most, run), 0);
    const changed = this.#health.answered(worst);
    if (changed) this.#stateChanged(worst === 0 ? undefined : 'properties cannot be read');
    if (wasAway) this.settings.hurry();
    this.#news();
    return wasAway;
  }

  /** The device has said a value by itself. Unknown properties are passed over. */
  said(property: string, value: DriverValue): void {
    const index = this.#indexOf.get(property);
    if (index === undefined) return;
    this.#sayings += 1;
    this.#saidAt[index] = this.#sayings;
    this.#take(index, value, this.#options.clock.wallMs());
    this.#news();
  }

  /** The device has not answered, or cannot be reached. */
  failed(reason: unknown): void {
    const { clock, random } = this.#options;
    this.#errors += 1;
    const changed = this.#health.failed();
    this.#retryAtMs = clock.monotonicMs() + retryDelayMs(this.#health.failures, random);
    if (changed) this.#stateChanged(messageOf(reason));
    this.settings.delayed(messageOf(reason));
    this.#news();
  }

  /** It is still away: settings that came meanwhile have to wait. */
  delayed(reason: unknown): void {
    this.settings.delayed(messageOf(reason));
    this.#news();
  }

  /** Something was settled. */
  speak(): void {
    this.#news();
  }

  /**
   * Nothing is said until {@link sayAll}: the bus is away, and nobody knows whether the device is still there when it is back.
   * Who speaks of a device that is not there is disconnected.
   */
  mute(): void {
    this.#muted = true;
  }

  /** All of it is to be said, again. */
  sayAll(): void {
    this.#muted = false;
    this.#texts.forEach((text, index) => {
      if (text !== undefined) this.#changed.add(index);
    });
    this.#stateNews = this.state !== 'unknown';
    this.settings.sayAll();
    this.#news();
  }

  /** Whether its state was not said for so long. */
  isStale(refreshMs: number): boolean {
    return this.state !== 'unknown' && this.#options.clock.monotonicMs() - this.#stateSaidMs >= refreshMs;
  }

  /** @returns the next message, until there is none; it counts as said then */
  nextMessage(messageId: () => string, stateRefreshMs: number): BusText | undefined {
    if (this.#muted) return undefined;
    const { clock } = this.#options;
    const { namespace, name, protocol } = this.bound;
    const base = { event_id: '', timestamp: clock.wallMs() };
    const nowMs = clock.monotonicMs();
    if (this.#stateNews || this.isStale(stateRefreshMs)) {
      this.#stateNews = false;
      this.#stateSaidMs = nowMs;
      const update: StateUpdate = { ...base, event_id: messageId(), state: this.state };
      return { topic: deviceTopic(namespace, name, 'stateUpdate'), payload: JSON.stringify(update) };
    }
    if (this.#changed.size > 0) {
      const twin: TwinMessage['twin'] = Object.fromEntries(this.#twins());
      const update: TwinMessage = { ...base, event_id: messageId(), twin };
      return { topic: deviceTopic(namespace, name, 'twinUpdate'), payload: JSON.stringify(update) };
    }
    const results = this.settings.take();
    if (results === undefined) return undefined;
    const topic = mapperDeviceTopic(protocol, 'settled', namespace, name);
    return { topic, payload: JSON.stringify({ results }) };
  }

  *#twins(): Iterable<[string, TwinMessage['twin'][string]]> {
    for (const index of this.#changed) {
      const value = this.#texts[index];
      const visit = this.visits[index];
      if (visit === undefined || value === undefined) continue;
      yield [visit.property, { actual: { value, metadata: { timestamp: this.#readMs[index] ?? 0 } } }];
    }
    this.#changed.clear();
  }

  #take(index: number, value: DriverValue, atMs: number): void {
    const visit = this.visits[index];
    if (visit === undefined) return;
    let text = this.#texts[index];
    // Most values are those of the last reading: they need no conversion.
    if (value !== this.#raw[index] || text === undefined) {
      try {
        text = formatValue(visit.type, value);
      } catch (error) {
        this.#failedProperty(index, error);
        return;
      }
      this.#raw[index] = value;
      if (text !== this.#texts[index]) {
        if (this.#changed.has(index)) this.#options.stats.coalesced += 1;
        this.#texts[index] = text;
        this.#changed.add(index);
      }
    }
    this.#readMs[index] = atMs;
    if ((this.#errorRuns[index] ?? 0) >= UNHEALTHY_AFTER) {
      this.#options.log.info({ device: this.id, property: visit.property }, 'the property can be read again');
    }
    this.#errorRuns[index] = 0;
    this.#options.sinks[index]?.offer(text, atMs);
  }

  #failedProperty(index: number, error: unknown): void {
    const run = (this.#errorRuns[index] ?? 0) + 1;
    this.#errorRuns[index] = run;
    this.#errors += 1;
    this.#options.stats.propertyErrors += 1;
    if (run !== UNHEALTHY_AFTER) return;
    const property = this.visits[index]?.property;
    this.#options.log.warn(
      { device: this.id, property, reason: messageOf(error) },
      'the property cannot be read',
    );
  }

  #stateChanged(reason: string | undefined): void {
    this.#stateNews = true;
    const log = this.state === 'online' ? this.#options.log.info : this.#options.log.warn;
    log({ device: this.id, state: this.state, reason }, 'the device is in another state');
  }

  #news(): void {
    if (!this.#muted) this.#options.onNews(this);
  }

  #planWithout(except: ReadonlySet<number>): PollPlan<Visit> {
    return new PollPlan(
      this.visits,
      this.bound.properties.map(({ collectCycleMs }) => collectCycleMs),
      except,
    );
  }
}
