import {
  mapperDeviceTopic,
  revisionOf,
  type BoundDevice,
  type MapperCommand,
  type MapperDesired,
  type MapperDevice,
} from '@hawser/devices';
import type { BusListener, MapperBus, SendOptions } from '../src/bus/mapper-bus.ts';
import { MapperError } from '../src/errors.ts';

/** A message that a mapper has published. */
export interface Published {
  readonly topic: string;
  /** The JSON value of the payload. */
  readonly message: unknown;
  readonly retain: boolean;
  readonly qos: 0 | 1;
}

/**
 * The event bus in memory, with what the edge core says on it: a Mapper runs on it without a broker. It is connected as soon
 * as the mapper starts; {@link disconnect} and {@link connect} cut it and mend it.
 */
export class TestBus implements MapperBus {
  /** All that was published, oldest first. */
  readonly published: Published[] = [];
  readonly #retained = new Map<string, string>();
  #filters: readonly string[] = [];
  #listener: BusListener | undefined;
  #connected = false;
  #holding: (() => void)[] | undefined;

  get connected(): boolean {
    return this.#connected;
  }

  start(filters: readonly string[], listener: BusListener): void {
    if (this.#listener !== undefined) return;
    this.#filters = filters;
    this.#listener = listener;
    queueMicrotask(() => this.connect());
  }

  publish(topic: string, payload: string, { retain = false, qos = 1 }: SendOptions = {}): Promise<void> {
    if (!this.#connected)
      return Promise.reject(new MapperError('ERR_MAPPER_BUS_AWAY', 'the bus is disconnected'));
    this.published.push({ topic, message: JSON.parse(payload) as unknown, retain, qos });
    const holding = this.#holding;
    if (holding === undefined) return Promise.resolve();
    return new Promise((resolve) => holding.push(resolve));
  }

  stop(): Promise<void> {
    this.disconnect();
    this.#listener = undefined;
    return Promise.resolve();
  }

  /** Mends the bus: everything retained comes again. */
  connect(): void {
    if (this.#connected || this.#listener === undefined) return;
    this.#connected = true;
    this.#listener.onUp();
    for (const [topic, payload] of this.#retained) this.#deliver(topic, payload);
  }

  /** Cuts the bus. */
  disconnect(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.release();
    this.#listener?.onDown(new MapperError('ERR_MAPPER_BUS_AWAY', 'the bus is disconnected'));
  }

  /** Acknowledges nothing until {@link release}. */
  hold(): void {
    this.#holding ??= [];
  }

  release(): void {
    for (const resolve of this.#holding?.splice(0) ?? []) resolve();
    this.#holding = undefined;
  }

  /** Gives the mapper a device, or another form of one. */
  device(device: BoundDevice): void {
    const told: MapperDevice = { revision: revisionOf(device), device };
    this.say(mapperDeviceTopic(device.protocol, 'devices', device.namespace, device.name), told, true);
  }

  /** Takes a device away, with what shall be of it. */
  removeDevice({ protocol, namespace, name }: BoundDevice): void {
    this.say(mapperDeviceTopic(protocol, 'devices', namespace, name), undefined, true);
    this.say(mapperDeviceTopic(protocol, 'desired', namespace, name), undefined, true);
  }

  /** Says what shall be: all of it, by property. Each value is a text, which makes a version of its own, or value and version. */
  desire(
    { protocol, namespace, name }: BoundDevice,
    values: Readonly<Record<string, string | { value: string; version: string }>>,
  ): void {
    const desired: MapperDesired = {
      values: Object.fromEntries(
        Object.entries(values).map(([property, value]) => [
          property,
          typeof value === 'string' ? { value, version: `of ${value}` } : value,
        ]),
      ),
    };
    this.say(mapperDeviceTopic(protocol, 'desired', namespace, name), desired, true);
  }

  command({ protocol, namespace, name }: BoundDevice, command: MapperCommand): void {
    this.say(mapperDeviceTopic(protocol, 'command', namespace, name), command, false);
  }

  /** Says anything. @param message undefined: an empty payload; a string: as it is */
  say(topic: string, message: unknown, retain: boolean): void {
    const payload =
      message === undefined ? '' : typeof message === 'string' ? message : JSON.stringify(message);
    if (retain && payload === '') this.#retained.delete(topic);
    else if (retain) this.#retained.set(topic, payload);
    if (this.#connected) this.#deliver(topic, payload);
  }

  /** Messages whose topic ends so. */
  messages(suffix: string): readonly unknown[] {
    return this.published.filter(({ topic }) => topic.endsWith(suffix)).map(({ message }) => message);
  }

  /** The values of a device as they were last reported, by property. */
  reported({ namespace, name }: Pick<BoundDevice, 'namespace' | 'name'>): Readonly<Record<string, string>> {
    const values: Record<string, string> = {};
    for (const message of this.messages(`/device/${namespace}/${name}/twin/update`)) {
      const { twin } = message as { twin: Record<string, { actual?: { value?: string } }> };
      for (const [property, { actual }] of Object.entries(twin)) {
        if (actual?.value !== undefined) values[property] = actual.value;
      }
    }
    return values;
  }

  /** The state of a device as it was last reported. */
  state({ namespace, name }: Pick<BoundDevice, 'namespace' | 'name'>): string | undefined {
    const last = this.messages(`/device/${namespace}/${name}/state/update`).at(-1);
    return (last as { state?: string } | undefined)?.state;
  }

  /** What was said of settings last, by property. */
  settled({
    namespace,
    name,
  }: Pick<BoundDevice, 'namespace' | 'name'>): Readonly<
    Record<string, { version: string; ok: boolean; message?: string }>
  > {
    const said = this.messages(`/settled/${namespace}/${name}`) as { results: object }[];
    return Object.assign({}, ...said.map(({ results }) => results)) as ReturnType<TestBus['settled']>;
  }

  #deliver(topic: string, payload: string): void {
    if (this.#filters.some((filter) => fits(filter, topic))) {
      this.#listener?.onMessage(topic, Buffer.from(payload));
    }
  }
}

/** `+` is one level; mappers use no other. */
function fits(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  return (
    wanted.length === levels.length && wanted.every((level, at) => level === '+' || level === levels[at])
  );
}
