import {
  mapperDeviceTopic,
  mapperHeartbeatTopic,
  mapperHelloTopic,
  readMapperCommand,
  type ConfigData,
  type MapperCommandResult,
  type MapperDesired,
  type MapperDevice,
  type MapperHeartbeat,
  type MapperHello,
  type Problem,
} from '@hawser/devices';
import {
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
  type Timer,
} from '@hawser/seams';
import type { MapperBus } from './bus/mapper-bus.ts';
import type { HealthState } from './devices/device-health.ts';
import { DeviceSet } from './devices/device-set.ts';
import { DeviceSettings } from './devices/device-settings.ts';
import { ServedDevice } from './devices/served-device.ts';
import { DeviceValidator } from './devices/validate-device.ts';
import type { Driver } from './driver.ts';
import { messageOf } from './errors.ts';
import type { LineState } from './lines/line.ts';
import { LinePool } from './lines/line-pool.ts';
import { newStats, type MapperStats } from './metrics/mapper-stats.ts';
import { PushRouter } from './push/push-router.ts';
import { Reporter } from './reports/reporter.ts';

/** Settings of {@link Mapper}. */
export interface MapperOptions {
  /** Of the mapper, as its definition calls it. */
  readonly name: string;
  readonly bus: MapperBus;
  /** Default: says nothing. */
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Milliseconds between heartbeats. Default 5,000: the edge core takes 15 s of silence for an end. */
  readonly heartbeatMs?: number;
  /** Milliseconds between repetitions of a state that did not change. Default 30,000. */
  readonly stateRefreshMs?: number;
  /** See `DeviceSet`. Default 30,000. */
  readonly settleMs?: number;
}

/** One device as its mapper sees it. */
export interface DeviceSummary {
  readonly id: string;
  readonly state: HealthState;
  readonly errors: number;
}

/** What is known of a device, served or refused. */
interface Entry {
  uid: string;
  settings: DeviceSettings;
  device: ServedDevice | undefined;
  /** What it looks at now: an older look that ends later counts no more. */
  revision: string;
  refused: readonly Problem[];
}

/**
 * A mapper: a driver, and all that is the same for every protocol. Devices and what shall be of them come over the bus
 * (retained messages); what they are, and what became of settings, goes back (docs/devices.md). Everything is said
 * again when the bus was away, of each device as soon as the bus has said that it is still there.
 *
 * @typeParam Protocol, Visitor as those of the driver
 */
export class Mapper<Protocol = ConfigData, Visitor = ConfigData> {
  readonly stats: MapperStats = newStats();
  readonly #driver: Driver;
  readonly #options: Required<MapperOptions>;
  readonly #entries = new Map<string, Entry>();
  readonly #desired = new Map<string, MapperDesired>();
  readonly #set: DeviceSet;
  readonly #validator: DeviceValidator;
  readonly #reporter: Reporter;
  readonly #lines: LinePool;
  readonly #push: PushRouter;
  #heartbeat: Timer | undefined;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #stopping: Promise<void> | undefined;

  constructor(given: Driver<Protocol, Visitor>, options: MapperOptions) {
    // What reaches it has passed its schemas, which say what Protocol and Visitor are.
    const driver = given as unknown as Driver;
    this.#driver = driver;
    this.#options = {
      log: silentLogger,
      clock: systemClock,
      random: systemRandom,
      heartbeatMs: 5_000,
      stateRefreshMs: 30_000,
      settleMs: 30_000,
      ...options,
    };
    const { bus, log, clock, random, stateRefreshMs, settleMs } = this.#options;
    const { stats } = this;
    this.#validator = new DeviceValidator(driver);
    this.#reporter = new Reporter({ bus, stats, clock, stateRefreshMs });
    this.#lines = new LinePool({ driver, log, clock, random, stats });
    this.#push = new PushRouter({ bus, log, clock, random, mapper: options.name });
    this.#set = new DeviceSet({
      protocol: driver.protocol,
      clock,
      log,
      stats,
      settleMs,
      listener: {
        onDevice: (id, told) => void this.#onDevice(id, told),
        onConfirmed: (id) => this.#onConfirmed(id),
        onDesired: (id, desired) => this.#onDesired(id, desired),
        onGone: (id) => this.#onGone(id),
      },
    });
  }

  /** Begins to connect, and to serve. Idempotent; a mapper that was stopped does not start again. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    const { bus } = this.#options;
    const topic = (kind: 'devices' | 'desired' | 'command'): string =>
      mapperDeviceTopic(this.#driver.protocol, kind, '+', '+');
    bus.start([topic('devices'), topic('desired'), topic('command')], {
      onUp: () => this.#onUp(),
      onDown: () => this.#onDown(),
      onMessage: (received, payload) => this.#onMessage(received, payload),
    });
    this.#beatLater();
  }

  /**
   * Ends in good order: what is under way with devices ends, what was read is said, connections are closed. Takes a few
   * seconds at most, whatever hangs. Idempotent.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Devices that are served. */
  devices(): readonly DeviceSummary[] {
    return this.#served().map(({ id, state, errors }) => ({ id, state, errors }));
  }

  /** Devices that are refused, with the reasons. */
  refused(): ReadonlyMap<string, readonly Problem[]> {
    return new Map(
      [...this.#entries]
        .filter(([, { refused }]) => refused.length > 0)
        .map(([id, entry]) => [id, entry.refused]),
    );
  }

  /** How many connections to devices are in which state. */
  connections(): Readonly<Record<LineState, number>> {
    return this.#lines.states();
  }

  /** Receivers of readings beside the twin, with what they took and dropped. */
  receivers(): ReturnType<PushRouter['summaries']> {
    return this.#push.summaries();
  }

  /** Readings that no receiver got, since the mapper began. */
  get readingsDropped(): number {
    return this.#push.dropped;
  }

  get busConnected(): boolean {
    return this.#options.bus.connected;
  }

  async #stop(): Promise<void> {
    this.#state = 'stopped';
    this.#heartbeat?.cancel();
    this.#set.stop();
    await this.#lines.stop();
    await this.#reporter.drain(2_000);
    await this.#push.stop();
    await this.#options.bus.stop();
  }

  #served(): readonly ServedDevice[] {
    return [...this.#entries.values()].flatMap(({ device }) => device ?? []);
  }

  #onUp(): void {
    this.#set.onUp();
    const { name } = this.#options;
    const { protocol, version, schemas } = this.#driver;
    const hello: MapperHello = { mapper: name, version, schemas };
    this.#send(mapperHelloTopic(protocol), hello, true);
    this.#beat();
    this.#reporter.resume();
  }

  #onDown(): void {
    this.#set.onDown();
    this.#push.onBusDown();
    for (const device of this.#served()) device.mute();
  }

  #onConfirmed(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#sayRefused(id, entry);
    entry.device?.sayAll();
  }

  #onMessage(topic: string, payload: Uint8Array): void {
    if (this.#state !== 'running' || this.#set.onMessage(topic, payload)) return;
    const prefix = mapperDeviceTopic(this.#driver.protocol, 'command', '', '').slice(0, -1);
    if (topic.startsWith(prefix)) this.#onCommand(topic.slice(prefix.length), payload);
  }

  #onDesired(id: string, desired: MapperDesired): void {
    const entry = this.#entries.get(id);
    // It may come before its device.
    if (entry === undefined) {
      if (this.#desired.size < 10_000 || this.#desired.has(id)) this.#desired.set(id, desired);
      else this.stats.dropped += 1;
      return;
    }
    entry.settings.desire(desired);
    if (entry.device !== undefined) this.#lines.wake(id);
  }

  async #onDevice(id: string, told: MapperDevice): Promise<void> {
    const { uid } = told.device;
    let entry = this.#entries.get(id);
    if (entry?.uid !== uid) {
      // Another one of the same name: what was settled of the former is not settled of this one.
      if (entry !== undefined) this.#stopServing(id, entry);
      const settings = new DeviceSettings(this.#options.random);
      entry = { uid, settings, device: undefined, revision: '', refused: [] };
      this.#entries.set(id, entry);
      const desired = this.#desired.get(id);
      this.#desired.delete(id);
      if (desired !== undefined) settings.desire(desired);
    }
    entry.revision = told.revision;
    const validated = await this.#validator.validate(told.device).catch((error: unknown) => ({
      ok: false as const,
      problems: [{ path: '/spec/protocol', message: messageOf(error), remedy: 'Tell who wrote the mapper.' }],
    }));
    if (this.#entries.get(id) !== entry || entry.revision !== told.revision) return;
    entry.refused = validated.ok ? [] : validated.problems;
    this.#sayRefused(id, entry);
    if (!validated.ok) {
      this.#stopServing(id, entry);
      this.#options.log.warn({ device: id, problems: validated.problems }, 'the device is refused');
      return;
    }
    this.#serve(id, entry, told, validated);
  }

  #serve(
    id: string,
    entry: Entry,
    told: MapperDevice,
    { config, visits }: Pick<ConstructorParameters<typeof ServedDevice>[0], 'config' | 'visits'>,
  ): void {
    if (this.#state !== 'running') return;
    const { clock, random, log } = this.#options;
    const { settings } = entry;
    settings.reconsider();
    const before = entry.device;
    const sinks = this.#push.sinksOf(told.device);
    const onNews = this.#reporter.mark;
    const { stats } = this;
    const device = new ServedDevice({
      told,
      config,
      visits,
      settings,
      sinks,
      clock,
      random,
      log,
      stats,
      onNews,
    });
    if (before !== undefined) {
      this.#reporter.forget(before);
      this.#push.release(before.bound);
    }
    entry.device = device;
    log.info({ device: id, properties: visits.length }, 'the device is served');
    this.#lines.serve(device);
    device.sayAll();
  }

  #onGone(id: string): void {
    this.#desired.delete(id);
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#stopServing(id, entry);
    this.#options.log.info({ device: id }, 'the device is gone');
  }

  #stopServing(id: string, entry: Entry): void {
    if (entry.device === undefined) return;
    this.#lines.remove(id);
    this.#push.release(entry.device.bound);
    this.#reporter.forget(entry.device);
    entry.device = undefined;
  }

  #onCommand(id: string, payload: Uint8Array): void {
    let command;
    try {
      command = readMapperCommand(payload);
    } catch (error) {
      this.stats.messagesBad += 1;
      this.#options.log.warn({ device: id, reason: messageOf(error) }, 'a command cannot be understood');
      return;
    }
    this.stats.commands += 1;
    const [namespace = '', name = ''] = id.split('/');
    const topic = mapperDeviceTopic(this.#driver.protocol, 'commandResult', namespace, name);
    const answer = (result: Omit<MapperCommandResult, 'id'>): void =>
      this.#send(topic, { id: command.id, ...result });
    this.#lines.readNow({
      device: id,
      properties: command.properties,
      resolve: answer,
      reject: (reason) => answer({ ok: false, message: reason.message }),
    });
  }

  #sayRefused(id: string, { revision, refused }: Entry): void {
    if (revision === '') return;
    const [namespace = '', name = ''] = id.split('/');
    this.#send(mapperDeviceTopic(this.#driver.protocol, 'refused', namespace, name), {
      revision,
      problems: refused,
    });
  }

  #beat(): void {
    const { bus, log, stateRefreshMs } = this.#options;
    if (!bus.connected) return;
    const served = this.#served();
    const heartbeat: MapperHeartbeat = {
      devices: served.length,
      online: served.filter(({ state }) => state === 'online' || state === 'unhealthy').length,
      dropped: this.stats.dropped + this.#push.dropped,
    };
    this.#send(mapperHeartbeatTopic(this.#driver.protocol), heartbeat);
    for (const device of served) if (device.isStale(stateRefreshMs)) this.#reporter.mark(device);
    log.debug({ ...heartbeat }, 'heartbeat');
  }

  #beatLater(): void {
    const { clock, heartbeatMs } = this.#options;
    this.#heartbeat = clock.setTimer(heartbeatMs, () => {
      this.#beat();
      this.#beatLater();
    });
  }

  /** What is not kept where the bus is away: it is said again, or nobody asks any more. */
  #send(topic: string, message: object, retain = false): void {
    this.#options.bus.publish(topic, JSON.stringify(message), { retain }).then(
      () => (this.stats.messages += 1),
      () => (this.stats.messagesLost += 1),
    );
  }
}
