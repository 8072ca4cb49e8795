import path from 'node:path';
import type { Timer } from '@hawser/seams';
import type { DeviceReading, MapperRows } from './admin/admin-types.ts';
import { DeviceProtocolIndex } from './devices/device-protocol-index.ts';
import { ReplicaDirectory } from './devices/replica-directory.ts';
import { DmiGate } from './dmi/dmi-gate.ts';
import type { DevicesProblem, EdgeDevices, EdgeDevicesOptions } from './edge-devices-types.ts';
import { EdgeCoreError } from './errors.ts';
import { busMetrics } from './event-bus/bus-metrics.ts';
import { openEventBus } from './event-bus/open-event-bus.ts';
import type { RunningBus } from './event-bus/running-bus.ts';
import { registerMapperMetrics } from './mappers/mapper-metrics.ts';
import { MapperSupervisor } from './mappers/mapper-supervisor.ts';
import { ReplicaObjects } from './objects/replica-objects.ts';
import { StopList } from './stop-list.ts';
import { registerDeviceMetrics } from './twins/device-metrics.ts';
import { MapperTopics } from './twins/mapper-topics.ts';
import { TwinManager } from './twins/twin-manager.ts';
import { TwinTopics } from './twins/twin-topics.ts';
import { UploadTopics } from './twins/upload-topics.ts';
import type { TwinChange, DeviceView } from './twins/twins.ts';

/** Of parsed devices and models, which are read when they change. */
const KEPT_OBJECT_BYTES = 64 * 1024;
/** A bus that cannot be opened is tried again after this, milliseconds. */
const BUS_AGAIN_MS = 3_000;

/** What speaks over an open bus. */
interface Voices {
  readonly bus: RunningBus;
  readonly twins: TwinTopics;
  readonly mappers: MapperTopics;
  readonly uploads: UploadTopics;
}

/**
 * Makes everything that devices need: directory → twins → mapper definitions → event bus and what speaks over it → programs
 * of mappers; it is stopped the other way round. Loaded with the first device or definition only. Twins do not wait for
 * a bus: one that cannot be opened is tried again, and is a problem of `hawser status` until then.
 */
export function makeEdgeDevices(options: EdgeDevicesOptions): EdgeDevices {
  return new Devices(options);
}

class Devices implements EdgeDevices {
  readonly #options: EdgeDevicesOptions;
  readonly #directory: ReplicaDirectory;
  readonly #protocols: DeviceProtocolIndex;
  readonly #twins: TwinManager;
  readonly #supervisor: MapperSupervisor;
  readonly #dmi: DmiGate;
  readonly #stop = new StopList();
  #voices: Voices | undefined;
  #opening: Promise<void> | undefined;
  #again: Timer | undefined;
  #busProblem: DevicesProblem | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: EdgeDevicesOptions) {
    const { config, scope, store, state, reporter, events, mayLack, clock, random, log } = options;
    this.#options = options;
    const objects = new ReplicaObjects({
      ...{ replica: store.replica, scope, keptBytes: KEPT_OBJECT_BYTES },
      isLost: (key) => store.lost(scope).has(key),
    });
    const devicesLog = log.child({ component: 'devices' });
    this.#directory = new ReplicaDirectory({
      replica: store.replica,
      scope,
      objects,
      clock,
      log: devicesLog,
    });
    this.#protocols = new DeviceProtocolIndex(this.#directory);
    this.#twins = new TwinManager({
      directory: this.#directory,
      reports: reporter.deviceReports(),
      ...{ state, mayLack, clock, log: devicesLog },
      snapshots: store.state,
      reportsPerSecond: config.devices.reportsPerSecond,
      persistPeriodMs: config.devices.persistPeriodMs,
      onSuperseded: ({ namespace, name, uid }, { property, setting }) => {
        const regarding = { kind: 'Device', apiVersion: 'devices.kubeedge.io/v1beta1', namespace, name, uid };
        const text = `${property}: ${shown(setting.written.value)} was set at the edge; the cloud has set another value since, which counts`;
        events.record(regarding, 'Warning', 'SettingSuperseded', text);
      },
    });
    this.#supervisor = new MapperSupervisor({
      dir: config.mappers.dir,
      dataDir: config.data.dir,
      cgroupRoot: config.pods.cgroupRoot,
      busUrl: () => this.#voices?.bus.url ?? '',
      onChanged: (mapper) => this.#voices?.bus.disconnect(mapper),
      onTrouble: (mapper, reason, message) => reporter.report(reason, `${mapper}: ${message}`, mapper),
      ...{ clock, random },
      log: log.child({ component: 'mappers' }),
    });
    this.#dmi = new DmiGate({
      ...{ config: config.dmi, directory: this.#directory, twins: this.#twins, objects, state },
      ...{ registry: options.registry, clock, random, log: log.child({ component: 'dmi' }) },
      busMapper: (protocol) => this.#busMapper(protocol),
    });
  }

  async start(): Promise<void> {
    this.#stop.add(() => this.#directory.stop());
    await this.#directory.start();
    this.#protocols.start();
    this.#stop.add(() => this.#protocols.stop());
    this.#stop.add(() => this.#twins.stop());
    await this.#twins.start();
    registerDeviceMetrics(this.#options.registry, () => ({
      counters: this.#twins.counters(),
      amounts: this.#twins.amounts(),
      invalid: this.#directory.list().filter(({ problems }) => problems.length > 0).length,
      topics: this.#voices && [this.#voices.twins.counters, this.#voices.mappers.counters],
      uploads: this.#voices?.uploads.counters(),
    }));
    busMetrics(this.#options.registry, () => this.#voices?.bus);
    registerMapperMetrics(this.#options.registry, () => this.#supervisor.states);
    this.#stop.add(() => this.#dmi.stop());
    await this.#tryBus();
    await this.#dmi.start(); // now it is known which protocols mappers on the bus have
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#finish();
    return this.#stopped;
  }

  setConnected(connected: boolean): void {
    this.#twins.setConnected(connected);
  }

  repeat(): void {
    this.#twins.repeat();
  }

  synced(): void {
    this.#twins.whole();
    this.#voices?.mappers.whole();
  }

  problems(): readonly DevicesProblem[] {
    const ofBus = this.#busProblem ?? this.#voices?.bus.status().failure;
    return [...(ofBus === undefined ? [] : [ofBus]), ...this.#dmi.problems()];
  }

  // ── what the admin socket shows and does ─────────────────────────────────────────────────────────────────────

  views(): readonly DeviceView[] {
    return this.#twins.views();
  }

  view(namespace: string, name: string): DeviceView | undefined {
    return this.#twins.view(namespace, name);
  }

  async set(namespace: string, name: string, values: Readonly<Record<string, string>>): Promise<void> {
    await this.#twins.set(namespace, name, values);
  }

  async read(namespace: string, name: string, properties: readonly string[]): Promise<DeviceReading> {
    const command = { kind: 'read', ...(properties.length > 0 && { properties }) } as const;
    const result = await this.#voices?.mappers.command(namespace, name, command);
    if (result?.ok === true) return { values: result.values ?? {} };
    const why = result?.message ?? 'the event bus is not open';
    throw new EdgeCoreError('ERR_EDGECORE_DEVICE_READ', `${namespace}/${name} was not read: ${why}`, {
      about: `${namespace}/${name}`,
    });
  }

  listen(listener: (change: TwinChange) => void): () => void {
    return this.#twins.listen(listener);
  }

  mappers(): MapperRows {
    const bus = this.#voices?.bus;
    return {
      items: this.#supervisor.states,
      problems: this.#supervisor.problems,
      ...(bus !== undefined && { bus: { url: bus.url, ...bus.status() } }),
    };
  }

  // ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Never rejects. */
  async #tryBus(): Promise<void> {
    this.#opening = this.#openBus();
    try {
      await this.#opening;
      this.#busProblem = undefined;
    } catch (error) {
      const { clock, log } = this.#options;
      const problem = problemOf(error);
      if (problem.message !== this.#busProblem?.message)
        log.error({ err: error }, 'the event bus cannot be opened, and is tried again');
      this.#busProblem = problem;
      if (this.#stopped === undefined)
        this.#again = clock.setTimer(BUS_AGAIN_MS, () => void this.#tryBus(), { background: true });
    }
  }

  /** @throws EdgeCoreError of definitions and of the bus; nothing of it is left then */
  async #openBus(): Promise<void> {
    const { node, config, clock, log } = this.#options;
    const supervisor = this.#supervisor;
    await supervisor.open();
    const bus = await openEventBus({
      config: config.eventBus,
      node,
      dir: path.join(config.data.dir, 'event-bus'),
      credentials: (name, password) => accountOf(supervisor, name, password),
      devices: this.#protocols,
      clock,
      log: log.child({ component: 'event-bus' }),
    });
    const voices = this.#voicesOver(bus);
    // What it says waits for clients; what it hears must not be missed by the first of them.
    voices.mappers.start();
    voices.twins.start();
    voices.uploads.start();
    const end = async (): Promise<void> => {
      this.#voices = undefined;
      for (const voice of [voices.uploads, voices.twins, voices.mappers]) voice.stop();
      await bus.stop();
    };
    try {
      await bus.start();
    } catch (error) {
      await end().catch(() => {}); // the first error is the one to tell
      throw error;
    }
    this.#voices = voices;
    this.#stop.add(end);
    this.#stop.add(() => supervisor.stop());
    supervisor.run();
  }

  /** The mapper that has a protocol by its definition, or shows itself on the bus. */
  #busMapper(protocol: string): string | undefined {
    const defined = this.#supervisor.states.find(({ protocols }) => protocols.includes(protocol));
    if (defined !== undefined) return defined.name;
    const heard = this.#voices?.mappers
      .mappers()
      .find((mapper) => mapper.protocol === protocol && mapper.alive);
    return heard && (heard.hello?.mapper ?? heard.protocol);
  }

  #voicesOver(bus: RunningBus): Voices {
    const { node, config, reporter, mayLack, clock, log } = this.#options;
    const shared = { bus, clock, log: log.child({ component: 'devices' }) };
    const seen = { twins: this.#twins, directory: this.#directory };
    return {
      bus,
      twins: new TwinTopics({ ...shared, ...seen, node }),
      mappers: new MapperTopics({
        ...{ ...shared, ...seen, mayLack },
        onHeartbeat: (client) => this.#supervisor.heartbeat(client),
      }),
      uploads: new UploadTopics({
        ...shared,
        upload: (id, body) => reporter.upload(id, body),
        perSecond: config.devices.uploadsPerSecond,
      }),
    };
  }

  async #finish(): Promise<void> {
    this.#again?.cancel();
    await this.#opening?.catch(() => {}); // it was said
    await this.#stop.run();
  }
}

function accountOf(
  supervisor: MapperSupervisor,
  name: string,
  password: Uint8Array,
): ReturnType<Parameters<typeof openEventBus>[0]['credentials']> {
  const definition = supervisor.credentials(name, password);
  if (definition === undefined) return undefined;
  const { protocols, topics, messagesPerSecond } = definition;
  return { name, protocols: new Set(protocols), topics, messagesPerSecond };
}

function problemOf(error: unknown): DevicesProblem {
  const code = error instanceof EdgeCoreError ? error.code : 'ERR_EDGECORE_INTERNAL';
  return { code, message: error instanceof Error ? error.message : String(error) };
}

const SHOWN_CHARS = 64;

function shown(value: string): string {
  return JSON.stringify(value.length > SHOWN_CHARS ? `${value.slice(0, SHOWN_CHARS)}…` : value);
}
