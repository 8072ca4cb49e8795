import { randomUUID } from 'node:crypto';
import {
  mapperDeviceTopic,
  mapperHeartbeatTopic,
  mapperHelloTopic,
  parseTopic,
  readMapperCommandResult,
  readMapperHeartbeat,
  readMapperHello,
  readMapperRefused,
  readMapperSettled,
  revisionOf,
  type BoundDevice,
  type MapperCommand,
  type MapperCommandResult,
  type MapperDeviceTopicKind,
  type MapperHeartbeat,
  type MapperHello,
} from '@hawser/devices';
import type { Clock, Logger, Timer } from '@hawser/seams';
import { Alarm } from '@hawser/sync';
import type { DeviceDirectory } from '../devices/device-directory.ts';
import type { BusMessage, EventBus } from '../event-bus/event-bus.ts';
import { BusVoice, speaksFor, type BusCounters } from './bus-messages.ts';
import type { TwinManager } from './twin-manager.ts';

/** What of the twins mappers deal with. */
export type MapperTwins = Pick<
  TwinManager,
  'expected' | 'forgetStates' | 'listen' | 'refuse' | 'report' | 'setSilent' | 'settle' | 'view'
>;

/** What a {@link MapperTopics} needs. */
export interface MapperTopicsOptions {
  readonly bus: EventBus;
  readonly twins: MapperTwins;
  /** Started before. */
  readonly directory: DeviceDirectory;
  /** Whether the directory may lack devices that nobody took away. */
  readonly mayLack: () => boolean;
  /** A mapper with these credentials says that it lives. Default: nobody hears of it. */
  readonly onHeartbeat?: (client: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A mapper as it has shown itself on the bus. Times are wall clock, milliseconds. */
export interface HeardMapper {
  readonly protocol: string;
  /** Whether it has given a sign of life within 15 s. */
  readonly alive: boolean;
  readonly heardMs: number | undefined;
  readonly hello: Pick<MapperHello, 'mapper' | 'version'> | undefined;
  readonly heartbeat: MapperHeartbeat | undefined;
}

/** A mapper that is silent for so long is gone, or hangs. */
const SILENT_MS = 15_000;
const COMMAND_TIMEOUT_MS = 10_000;
/** Protocols that are remembered; names of others are somebody's play. */
const MAX_PROTOCOLS = 200;
const MAX_STALE = 10_000;
const MAX_COMMANDS = 100;

interface Heard {
  silent: boolean;
  /** Monotonic, and wall clock. */
  atMs: number;
  wallMs: number | undefined;
  hello?: HeardMapper['hello'];
  heartbeat?: MapperHeartbeat;
}

/** What is retained of a device: payloads by topic. */
type Retained = ReadonlyMap<string, string>;

/**
 * Our own topics: what mappers have to know is retained for them, made from the directory and the twins; what they say of
 * it comes back. Level-triggered: each change has what is retained compared with what should be. What is retained of
 * devices that are gone, also since before this process, is cleared once the directory is known to be whole.
 */
export class MapperTopics {
  readonly #options: MapperTopicsOptions;
  readonly #voice: BusVoice;
  readonly #retained = new Map<string, Retained>();
  /** Topics that are retained on the bus and that nobody here knows of. */
  readonly #stale = new Set<string>();
  readonly #heard = new Map<string, Heard>();
  readonly #commands = new Map<string, (result: MapperCommandResult) => void>();
  /** Revision and payload of devices. */
  readonly #described = new WeakMap<BoundDevice, { readonly revision: string; readonly payload: string }>();
  readonly #silence: Alarm;
  #endings: (() => void)[] = [];

  constructor(options: MapperTopicsOptions) {
    this.#options = options;
    this.#voice = new BusVoice(options);
    this.#silence = new Alarm(options.clock, () => this.#lookForSilence());
  }

  get counters(): BusCounters {
    return this.#voice.counters;
  }

  /** Called once, after the twins have started. */
  start(): void {
    const { twins, directory } = this.#options;
    this.#endings = [
      directory.listen((id) => this.#retain(id)),
      twins.listen(({ namespace, name }) => this.#retain(`${namespace}/${name}`)),
    ];
    for (const { id } of directory.list()) this.#retain(id);
    const hear = (
      kind: MapperDeviceTopicKind,
      handler: (message: BusMessage, device: BoundDevice) => void,
    ): void =>
      this.#voice.hear(mapperDeviceTopic('+', kind, '+', '+'), (message) => this.#of(message, handler));
    hear('settled', (message, { namespace, name }) =>
      twins.settle(namespace, name, readMapperSettled(message.payload).results),
    );
    hear('refused', (message, device) => this.#refused(message, device));
    hear('commandResult', (message, device) => this.#commandResult(message, device));
    this.#voice.hear(mapperHelloTopic('+'), (message) => this.#hello(message));
    this.#voice.hear(mapperHeartbeatTopic('+'), (message) => this.#heartbeat(message));
    for (const kind of ['devices', 'desired'] as const)
      this.#voice.hear(mapperDeviceTopic('+', kind, '+', '+'), (message) =>
        this.#retainedBySomebody(message),
      );
  }

  /** Idempotent. */
  stop(): void {
    for (const ending of this.#endings.splice(0)) ending();
    this.#voice.end();
    this.#silence.cancel();
    for (const [id, answer] of this.#commands) answer({ id, ok: false, message: 'the edge core stops' });
  }

  /** The directory may have all that there is: clears what is retained of devices that are gone. */
  whole(): void {
    if (this.#options.mayLack()) return;
    for (const topic of this.#stale) {
      if (this.#mayBeOurs(topic)) continue;
      this.#stale.delete(topic);
      if (!this.#isOurs(topic)) this.#voice.say(topic, '', { retain: true });
    }
  }

  /** What mappers have shown of themselves. */
  mappers(): readonly HeardMapper[] {
    return [...this.#heard].map(([protocol, { silent, wallMs, hello, heartbeat }]) => ({
      ...{ protocol, alive: !silent, heardMs: wallMs, hello, heartbeat },
    }));
  }

  /**
   * Has the mapper of a device do something now.
   * @param signal gives up waiting
   * @returns what came of it, `ok: false` where the mapper does not answer within 10 s; undefined: there is no such device
   * @throws what `signal` says
   */
  async command(
    namespace: string,
    name: string,
    command: Omit<MapperCommand, 'id'>,
    signal?: AbortSignal,
  ): Promise<MapperCommandResult | undefined> {
    const device = this.#options.directory.get(namespace, name)?.device;
    if (device === undefined) return undefined;
    signal?.throwIfAborted();
    const id = randomUUID();
    if (this.#commands.size >= MAX_COMMANDS)
      return { id, ok: false, message: `${MAX_COMMANDS} commands wait for mappers` };
    let timer: Timer | undefined;
    try {
      return await new Promise<MapperCommandResult>((resolve, reject) => {
        const late = { id, ok: false, message: `the mapper of ${device.protocol} does not answer` };
        this.#commands.set(id, resolve);
        timer = this.#options.clock.setTimer(COMMAND_TIMEOUT_MS, () => resolve(late), { background: true });
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        this.#voice.say(mapperDeviceTopic(device.protocol, 'command', namespace, name), { id, ...command });
      });
    } finally {
      timer?.cancel();
      this.#commands.delete(id);
    }
  }

  // ── what is retained ─────────────────────────────────────────────────────────────────────────────────────────

  #retain(id: string): void {
    const before: Retained = this.#retained.get(id) ?? new Map();
    const now = this.#wanted(id);
    if (this.#stale.size > 0) this.whole();
    if (now.size === 0) this.#retained.delete(id);
    else this.#retained.set(id, now);
    for (const topic of before.keys()) if (!now.has(topic)) this.#voice.say(topic, '', { retain: true });
    for (const [topic, payload] of now) {
      if (before.get(topic) !== payload) this.#voice.say(topic, payload, { retain: true });
    }
  }

  #wanted(id: string): Retained {
    const { directory, twins } = this.#options;
    const [namespace = '', name = ''] = id.split('/');
    const device = directory.get(namespace, name)?.device;
    const expected = twins.expected(id);
    if (device === undefined || expected === undefined) return new Map();
    const { protocol } = device;
    const desired = JSON.stringify({ values: Object.fromEntries(expected) });
    return new Map([
      [mapperDeviceTopic(protocol, 'desired', namespace, name), desired],
      [mapperDeviceTopic(protocol, 'devices', namespace, name), this.#describe(device).payload],
    ]);
  }

  /** What comes back is our own, or of a device that is gone. */
  #retainedBySomebody({ topic, payload }: BusMessage): void {
    if (payload.length === 0 || this.#isOurs(topic)) return;
    if (this.#options.mayLack() || this.#mayBeOurs(topic)) {
      if (this.#stale.size < MAX_STALE) this.#stale.add(topic);
    } else this.#voice.say(topic, '', { retain: true });
  }

  /** Whether it is of a device that could not be read yet. */
  #mayBeOurs(topic: string): boolean {
    const parsed = parseTopic(topic);
    if (parsed.kind !== 'mapper-device') return false;
    const { directory } = this.#options;
    const { namespace, name } = parsed;
    return directory.has(namespace, name) && directory.get(namespace, name) === undefined;
  }

  #isOurs(topic: string): boolean {
    const parsed = parseTopic(topic);
    if (parsed.kind !== 'mapper-device') return false;
    return this.#retained.get(`${parsed.namespace}/${parsed.name}`)?.has(topic) === true;
  }

  #describe(device: BoundDevice): { readonly revision: string; readonly payload: string } {
    const present = this.#described.get(device);
    if (present !== undefined) return present;
    const revision = revisionOf(device);
    const made = { revision, payload: JSON.stringify({ revision, device }) };
    this.#described.set(device, made);
    return made;
  }

  // ── what mappers say ─────────────────────────────────────────────────────────────────────────────────────────

  /** Has a device of the topic's protocol dealt with, of which the sender may speak. */
  #of(message: BusMessage, handler: (message: BusMessage, device: BoundDevice) => void): void {
    const parsed = parseTopic(message.topic);
    if (parsed.kind !== 'mapper-device') return;
    if (!speaksFor(message, parsed.protocol)) {
      this.#voice.counters.forbidden += 1;
      return;
    }
    const device = this.#options.directory.get(parsed.namespace, parsed.name)?.device;
    // What is said of a device that is gone, or of another protocol by now, is of no use to anybody.
    if (device?.protocol === parsed.protocol) handler(message, device);
  }

  #refused({ payload }: BusMessage, device: BoundDevice): void {
    const { revision, problems } = readMapperRefused(payload);
    if (revision !== this.#describe(device).revision) return;
    this.#options.twins.refuse(device.namespace, device.name, problems);
  }

  #commandResult({ payload }: BusMessage, { namespace, name }: BoundDevice): void {
    const result = readMapperCommandResult(payload);
    if (result.values !== undefined && Object.keys(result.values).length > 0)
      this.#options.twins.report(namespace, name, result.values);
    this.#commands.get(result.id)?.(result);
  }

  #hello(message: BusMessage): void {
    const protocol = this.#protocolOf(message);
    if (protocol === undefined || message.payload.length === 0) return;
    const { mapper, version } = readMapperHello(message.payload);
    // A broker of somebody else gives us what it has retained: the mapper may be long gone.
    const isKept = message.retain && message.client === undefined;
    const heard = this.#heardOf(protocol);
    if (heard === undefined) return;
    heard.hello = { mapper, version };
    if (isKept) return;
    if (heard.silent) this.#options.twins.forgetStates(protocol);
    this.#alive(protocol, heard);
  }

  #heartbeat(message: BusMessage): void {
    const protocol = this.#protocolOf(message);
    if (protocol === undefined) return;
    const heartbeat = readMapperHeartbeat(message.payload);
    const heard = this.#heardOf(protocol);
    if (heard === undefined) return;
    heard.heartbeat = heartbeat;
    if (message.client !== undefined) this.#options.onHeartbeat?.(message.client.name);
    this.#alive(protocol, heard);
  }

  #protocolOf(message: BusMessage): string | undefined {
    const parsed = parseTopic(message.topic);
    if (parsed.kind !== 'mapper-hello' && parsed.kind !== 'mapper-heartbeat') return undefined;
    if (speaksFor(message, parsed.protocol)) return parsed.protocol;
    this.#voice.counters.forbidden += 1;
    return undefined;
  }

  #heardOf(protocol: string): Heard | undefined {
    const present = this.#heard.get(protocol);
    if (present !== undefined || this.#heard.size >= MAX_PROTOCOLS) return present;
    const made: Heard = { silent: true, atMs: -Infinity, wallMs: undefined };
    this.#heard.set(protocol, made);
    return made;
  }

  #alive(protocol: string, heard: Heard): void {
    const { clock, twins } = this.#options;
    heard.atMs = clock.monotonicMs();
    heard.wallMs = clock.wallMs();
    this.#silence.setAt(heard.atMs + SILENT_MS);
    if (!heard.silent) return;
    heard.silent = false;
    twins.setSilent(protocol, false);
  }

  #lookForSilence(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [protocol, heard] of this.#heard) {
      if (heard.silent) continue;
      if (heard.atMs + SILENT_MS > nowMs) {
        this.#silence.setAt(heard.atMs + SILENT_MS);
        continue;
      }
      heard.silent = true;
      this.#options.log.warn({ protocol }, 'a mapper is silent: the states of its devices are unknown');
      this.#options.twins.setSilent(protocol, true);
    }
  }
}
