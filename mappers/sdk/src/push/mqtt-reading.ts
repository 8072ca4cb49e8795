import { telemetryTopic } from '@hawser/devices';
import type { MapperBus } from '../bus/mapper-bus.ts';
import { MapperError } from '../errors.ts';
import { telemetryOf, type Reading } from './reading.ts';

/** A reading as a message. */
export interface MqttReading {
  readonly topic: string;
  readonly payload: string;
  readonly options: { readonly qos: 0 | 1; readonly retain: boolean };
}

/** The message of a reading: QoS 0 where nothing is said; 2 is sent as 1. */
export function mqttReading(reading: Reading): MqttReading {
  const { device, property } = reading;
  const { topic = '', qos = 0, retained = false } = property.push?.mqtt ?? {};
  return {
    topic: topic === '' ? telemetryTopic(device.name) : topic,
    payload: JSON.stringify(telemetryOf(reading)),
    options: { qos: qos > 0 ? 1 : 0, retain: retained },
  };
}

/** Publishes all of them. @throws MapperError `ERR_MAPPER_BUS_AWAY`, `ERR_MAPPER_PUSH` */
export async function publishAll(
  messages: readonly MqttReading[],
  publish: MapperBus['publish'],
  signal: AbortSignal,
): Promise<void> {
  const sent = Promise.all(messages.map(({ topic, payload, options }) => publish(topic, payload, options)));
  await Promise.race([sent, whenAborted(signal)]);
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
