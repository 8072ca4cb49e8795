import type { BoundDevice, BoundProperty } from '@hawser/devices';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { MapperBus } from '../bus/mapper-bus.ts';
import { messageOf } from '../errors.ts';
import type { ReadingSink } from '../devices/served-device.ts';
import { HttpSender } from './http-sender.ts';
import { BusSender } from './bus-sender.ts';
import { MqttSender } from './mqtt-sender.ts';
import { OTLP_TYPES, OtlpSender } from './otlp-sender.ts';
import { Receiver, type ReceiverSummary, type Sender } from './receiver.ts';

/** Settings of {@link PushRouter}. */
export interface PushRouterOptions {
  readonly bus: MapperBus;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Name of the mapper. */
  readonly mapper: string;
}

interface Shared {
  readonly receiver: Receiver;
  /** Devices that use it. */
  readonly users: Set<BoundDevice>;
}

/** Brings readings to where their property's `pushMethod` wants them; properties with the same receiver share it. */
export class PushRouter {
  readonly #options: PushRouterOptions;
  readonly #receivers = new Map<string, Shared>();
  #droppedBefore = 0;
  #busSender: BusSender | undefined;

  constructor(options: PushRouterOptions) {
    this.#options = options;
  }

  /** Readings that nobody got, since the mapper began. */
  get dropped(): number {
    return this.summaries().reduce((sum, { dropped }) => sum + dropped, this.#droppedBefore);
  }

  /** What became of readings, by receiver. */
  summaries(): readonly ReceiverSummary[] {
    return [...this.#receivers.values()].map(({ receiver }) => receiver.summary);
  }

  /** One for each property, in order; undefined: it is pushed nowhere. They are good until {@link release}. */
  sinksOf(device: BoundDevice): readonly (ReadingSink | undefined)[] {
    return device.properties.map((property) => {
      const receivers = this.#receiversOrNone(device, property);
      return receivers.length === 0 ? undefined : new PropertySink(device, property, receivers);
    });
  }

  /** The device, in this form of it, has no readings any more. */
  release(device: BoundDevice): void {
    for (const [key, { receiver, users }] of this.#receivers) {
      if (!users.delete(device) || users.size > 0) continue;
      this.#receivers.delete(key);
      void receiver.stop().then(() => (this.#droppedBefore += receiver.summary.dropped));
    }
  }

  /** The event bus is away. */
  onBusDown(): void {
    this.#busSender?.onDown();
  }

  /** Ends all; what waits is dropped. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([...this.#receivers.values()].map(({ receiver }) => receiver.stop()));
  }

  /** An external broker passes on what nobody has checked: an address that is none costs its property the push, and no more. */
  #receiversOrNone(device: BoundDevice, property: BoundProperty): readonly Receiver[] {
    try {
      return this.#receiversOf(device, property);
    } catch (error) {
      const { namespace, name } = device;
      const about = { device: `${namespace}/${name}`, property: property.name, reason: messageOf(error) };
      this.#options.log.error(about, 'the pushMethod of a property cannot be used');
      return [];
    }
  }

  #receiversOf(device: BoundDevice, { push, type }: BoundProperty): readonly Receiver[] {
    const { bus, clock, log, mapper } = this.#options;
    const found: Receiver[] = [];
    const use = (key: string, make: () => Sender): void => void found.push(this.#use(device, key, make));
    const { http, mqtt, otel } = push ?? {};
    if (mqtt !== undefined) {
      const address = brokerUrl(mqtt.address);
      if (address === undefined) use('bus', () => (this.#busSender = new BusSender(bus, clock, log)));
      else use(`mqtt ${address}`, () => new MqttSender(address));
    }
    if (http !== undefined) {
      const url = httpUrl(http);
      use(`http ${url.href} ${http.timeout ?? ''}`, () => new HttpSender(url, log, http.timeout));
    }
    if (otel?.endpointURL !== undefined && OTLP_TYPES.has(type)) {
      const url = new URL(otel.endpointURL);
      use(`otel ${url.href}`, () => new OtlpSender(url, mapper, log));
    }
    return found;
  }

  #use(device: BoundDevice, key: string, make: () => Sender): Receiver {
    const { log, clock, random } = this.#options;
    let shared = this.#receivers.get(key);
    if (shared === undefined) {
      shared = { receiver: new Receiver({ sender: make(), log, clock, random }), users: new Set() };
      this.#receivers.set(key, shared);
    }
    shared.users.add(device);
    return shared.receiver;
  }
}

/** One property's readings: at most one in `reportCycle`, whether it has changed or not. */
class PropertySink implements ReadingSink {
  readonly #device: BoundDevice;
  readonly #property: BoundProperty;
  readonly #receivers: readonly Receiver[];
  #lastMs = -Infinity;

  constructor(device: BoundDevice, property: BoundProperty, receivers: readonly Receiver[]) {
    this.#device = device;
    this.#property = property;
    this.#receivers = receivers;
  }

  offer(text: string, atMs: number): void {
    const { reportCycleMs, collectCycleMs } = this.#property;
    const sinceMs = atMs - this.#lastMs;
    // Readings are never exactly a cycle apart; and a clock that was set back makes no pause.
    if (sinceMs >= 0 && sinceMs < reportCycleMs - collectCycleMs / 2) return;
    this.#lastMs = atMs;
    const reading = { device: this.#device, property: this.#property, text, atMs };
    for (const receiver of this.#receivers) receiver.offer(reading);
  }
}

/** undefined: the event bus. `tcp` and `ssl` are other names, which KubeEdge's clients use. */
function brokerUrl(address: string | undefined): string | undefined {
  if (address === undefined || address === '') return undefined;
  return address.replace(/^tcp:/i, 'mqtt:').replace(/^(?:ssl|tls):/i, 'mqtts:');
}

function httpUrl({
  hostName = '',
  port,
  requestPath = '/',
}: NonNullable<NonNullable<BoundProperty['push']>['http']>): URL {
  const url = new URL(/^https?:\/\//i.test(hostName) ? hostName : `http://${hostName}`);
  if (port !== undefined) url.port = String(port);
  const [path = '/', query] = requestPath.split('?', 2);
  url.pathname = path;
  if (query !== undefined) url.search = query;
  return url;
}
