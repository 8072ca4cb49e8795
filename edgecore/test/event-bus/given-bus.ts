import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { edgeConfig, type EdgeConfigInput } from '../../src/config/options.ts';
import type { BusAccount } from '../../src/event-bus/bus-account.ts';
import { openEventBus, type EventBusOptions } from '../../src/event-bus/open-event-bus.ts';
import type { RunningBus } from '../../src/event-bus/running-bus.ts';

/** Who may use the buses of tests: passwords are `secret-of-<name>`. */
export const ACCOUNTS: readonly BusAccount[] = [
  account('modbus', ['modbus']),
  account('bluetooth', ['bluetooth']),
  account('app', [], { publish: ['app/#', 'shared/+'], subscribe: ['app/#', 'shared/+', '$hw/events/#'] }),
  account('all', [], { publish: ['#'], subscribe: ['#'] }),
  { ...account('slow', [], { publish: ['app/#'], subscribe: [] }), messagesPerSecond: 100 },
];

function account(
  name: string,
  protocols: readonly string[],
  topics: BusAccount['topics'] = { publish: [], subscribe: [] },
): BusAccount {
  return { name, protocols: new Set(protocols), topics, messagesPerSecond: 100_000 };
}

/** Devices of the node `edge-1`: `factory/pump` and `factory/valve` (modbus), `factory/thermo` (bluetooth). */
export const DEVICES: Readonly<Record<string, string>> = {
  'factory/pump': 'modbus',
  'factory/valve': 'modbus',
  'factory/thermo': 'bluetooth',
};

export interface GivenBus {
  readonly bus: RunningBus;
  /** A client that is connected. */
  readonly client: (name: string, options?: IClientOptions) => Promise<MqttClient>;
  /** Ends clients and bus. */
  readonly end: () => Promise<void>;
}

/** A bus with the accounts and devices above, on a port of its own; it is not started yet. */
export function openBus(
  dir: string,
  config: NonNullable<EdgeConfigInput['eventBus']> = {},
  options: Partial<EventBusOptions> = {},
): Promise<RunningBus> {
  return openEventBus({
    config: edgeConfig({ eventBus: { listen: '127.0.0.1:0', ...config } }).eventBus,
    node: 'edge-1',
    dir,
    credentials: (name, password) =>
      Buffer.from(password).toString() === `secret-of-${name}`
        ? ACCOUNTS.find((entry) => entry.name === name)
        : undefined,
    devices: {
      protocolOf: (namespace, name) => DEVICES[`${namespace}/${name}`],
      protocolsNamed: (name) =>
        Object.entries(DEVICES)
          .filter(([id]) => id.endsWith(`/${name}`))
          .map(([, protocol]) => protocol),
    },
    ...options,
  });
}

/** The same, running. */
export async function givenBus(
  dir: string,
  config: NonNullable<EdgeConfigInput['eventBus']> = {},
  options: Partial<EventBusOptions> = {},
): Promise<GivenBus> {
  const bus = await openBus(dir, config, options);
  await bus.start();
  const clients: MqttClient[] = [];
  return {
    bus,
    async client(name, more = {}) {
      const client = mqttClient(bus.url, name, more);
      clients.push(client);
      await connected(client);
      return client;
    },
    async end() {
      await Promise.all(clients.map((client) => client.endAsync(true)));
      await bus.stop();
    },
  };
}

/** A client of mqtt.js with the credentials of an account; it does not connect again. */
export function mqttClient(url: string, name: string, options: IClientOptions = {}): MqttClient {
  return connect(url, {
    username: name,
    password: `secret-of-${name}`,
    clientId: `${name}/${Math.random().toString(36).slice(2)}`,
    protocolVersion: 4,
    reconnectPeriod: 0,
    ...options,
  });
}

/** Resolves with its CONNACK; rejects where it is refused, or disconnected before. */
export function connected(client: MqttClient): Promise<{ readonly sessionPresent: boolean }> {
  return new Promise((resolve, reject) => {
    client.once('connect', resolve);
    client.once('error', reject);
    client.once('close', () => reject(new Error('disconnected')));
  });
}
