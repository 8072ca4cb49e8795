import { telemetryTopic, type PushMethod } from '@hawser/devices';
import type { MapperBus } from '../bus/mapper-bus.ts';
import { MqttSession } from '../bus/mqtt-session.ts';
import { MapperError } from '../errors.ts';
import { telemetryOf, type Reading } from './reading.ts';
import type { Sender } from './receiver.ts';

type MqttPush = NonNullable<PushMethod['mqtt']>;

/** The topic of a reading, and how it is sent: QoS 0 where nothing is said; 2 is sent as 1. */
function sendingOf({ device, property }: Reading): {
  topic: string;
  options: { qos: 0 | 1; retain: boolean };
} {
  const mqtt: MqttPush = property.push?.mqtt ?? {};
  const topic = mqtt.topic === undefined || mqtt.topic === '' ? telemetryTopic(device.name) : mqtt.topic;
  return { topic, options: { qos: (mqtt.qos ?? 0) > 0 ? 1 : 0, retain: mqtt.retained ?? false } };
}

/** Publishes all of them. @throws MapperError `ERR_MAPPER_BUS_AWAY` */
async function publishAll(
  readings: readonly Reading[],
  publish: MapperBus['publish'],
  signal: AbortSignal,
): Promise<void> {
  const sent = Promise.all(
    readings.map((reading) => {
      const { topic, options } = sendingOf(reading);
      return publish(topic, JSON.stringify(telemetryOf(reading)), options);
    }),
  );
  await Promise.race([sent, whenAborted(signal)]);
}

/** `pushMethod.mqtt` without an address: the event bus. */
export class BusSender implements Sender {
  readonly shown = 'event bus';
  readonly batchMax = 200;
  readonly timeoutMs = 10_000;
  readonly #bus: MapperBus;

  constructor(bus: MapperBus) {
    this.#bus = bus;
  }

  async send(readings: readonly Reading[], signal: AbortSignal): Promise<number> {
    await publishAll(readings, (topic, text, options) => this.#bus.publish(topic, text, options), signal);
    return 0;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** `pushMethod.mqtt` with the address of another broker. User and password stand in the address. */
export class MqttSender implements Sender {
  readonly shown: string;
  readonly batchMax = 200;
  readonly timeoutMs = 10_000;
  readonly #url: string;
  #session: MqttSession | undefined;

  constructor(url: string) {
    this.#url = url;
    this.shown = new MqttSession({ url }).shownUrl;
  }

  async send(readings: readonly Reading[], signal: AbortSignal): Promise<number> {
    const session = this.#session ?? (await this.#open(signal));
    try {
      await publishAll(readings, (topic, text, options) => session.publish(topic, text, options), signal);
      return 0;
    } catch (error) {
      // Whatever it was, the next attempt begins with a new connection.
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.close(false);
  }

  async #open(signal: AbortSignal): Promise<MqttSession> {
    const session = new MqttSession({ url: this.#url });
    try {
      await session.open(() => {}, signal);
    } catch (error) {
      await session.close(false);
      throw error;
    }
    this.#session = session;
    void session.ended.then(() => {
      if (this.#session === session) this.#session = undefined;
    });
    return session;
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void =>
      reject(
        signal.reason instanceof Error ? signal.reason : new MapperError('ERR_MAPPER_PUSH', 'it was aborted'),
      );
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
