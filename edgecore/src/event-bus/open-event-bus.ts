import { silentLogger, type Clock, type Logger, type Random } from '@hawser/seams';
import type { EdgeConfig } from '../config/options.ts';
import { EdgeCoreError } from '../errors.ts';
import type { Credentials, DeviceProtocols } from './bus-account.ts';
import { newBusCounters } from './bus-counters.ts';
import type { EmbeddedBus } from './embedded/embedded-bus.ts';
import type { RunningBus } from './running-bus.ts';
import { isFilter } from './topic-filter.ts';

/** Settings of {@link openEventBus}. */
export interface EventBusOptions {
  /** The section `eventBus`. `auto` counts as `embedded`: whether there is a bus at all is for the caller to know. */
  readonly config: EdgeConfig['eventBus'];
  /** Name of this node. */
  readonly node: string;
  /** Folder for what has to last; made (0700) if it is not there, as soon as something has to. */
  readonly dir: string;
  readonly credentials: Credentials;
  readonly devices: DeviceProtocols;
  /** Longest that the acknowledgement of a message waits for a handler. Default 10,000 ms */
  readonly handlerTimeoutMs?: number;
  /** How long a client of the embedded broker may take to read something of what waits for it. Default 30,000 ms */
  readonly writeStallMs?: number;
  /** How long a client of the embedded broker may take to say who it is. Default 10,000 ms */
  readonly connectTimeoutMs?: number;
  /** How long clients have to come back after a restart before their wills are published. Default 30,000 ms */
  readonly willGraceMs?: number;
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * Makes the bus that the configuration asks for; it is not started yet. Brokers and clients are loaded here and not
 * before. Handlers that subscribe before it is started hear everything that waits for them.
 * @throws EdgeCoreError `ERR_EDGECORE_BUS_OFF`: the configuration says that there is none; `ERR_EDGECORE_BUS_URL`:
 *   `eventBus.url` is empty; `ERR_EDGECORE_BUS_TOPIC`: a filter of the bridge is none
 */
export async function openEventBus(options: EventBusOptions): Promise<RunningBus> {
  const { config, node } = options;
  if (config.mode === 'off') {
    throw new EdgeCoreError('ERR_EDGECORE_BUS_OFF', 'eventBus.mode is off', { about: 'eventBus.mode' });
  }
  if (config.mode === 'auto' || config.mode === 'embedded') return openEmbedded(options);
  if (config.url === '') {
    throw new EdgeCoreError(
      'ERR_EDGECORE_BUS_URL',
      `eventBus.mode is ${config.mode}, and eventBus.url is empty`,
      {
        about: 'eventBus.url',
      },
    );
  }
  const outside = { address: config, clientId: `hawser-${node}`, ...common(options) };
  if (config.mode === 'external') {
    const { ExternalBus } = await import('./external/external-bus.ts');
    return new ExternalBus({ ...outside, ...handlerTimeout(options), counters: newBusCounters() });
  }
  const filtersIn = filtersOf('eventBus.bridgeIn', config.bridgeIn);
  const filtersOut = filtersOf('eventBus.bridgeOut', config.bridgeOut);
  const { BridgedBus } = await import('./bridge/bridged-bus.ts');
  return new BridgedBus({ ...outside, embedded: await openEmbedded(options), filtersIn, filtersOut });
}

async function openEmbedded(options: EventBusOptions): Promise<EmbeddedBus> {
  const { config, node, dir, credentials, devices } = options;
  const { EmbeddedBus } = await import('./embedded/embedded-bus.ts');
  return new EmbeddedBus({
    listen: config.listen,
    node,
    dir,
    credentials,
    devices,
    broker: {
      clients: config.maxClients,
      clientsPerName: 10,
      pending: 64,
      subscriptionsPerClient: 100,
      packetBytes: config.maxPacketBytes,
      writeBufferBytes: Math.max(1024 * 1024, 2 * config.maxPacketBytes),
      writeStallMs: options.writeStallMs ?? 30_000,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    },
    sessions: {
      perSession: { messages: config.sessionMaxMessages, bytes: config.sessionMaxBytes },
      sessions: config.maxSessions,
      bytes: config.sessionsMaxBytes,
      expiryMs: config.sessionExpiryMs,
    },
    willGraceMs: options.willGraceMs ?? 30_000,
    retained: { messages: 1000, bytes: 2 * 1024 * 1024 },
    counters: newBusCounters(),
    ...common(options),
    ...handlerTimeout(options),
  });
}

function common({ log, clock, random }: EventBusOptions): {
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
} {
  return {
    log: log ?? silentLogger,
    ...(clock === undefined ? {} : { clock }),
    ...(random === undefined ? {} : { random }),
  };
}

function handlerTimeout({ handlerTimeoutMs }: EventBusOptions): { readonly handlerTimeoutMs?: number } {
  return handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs };
}

/** @throws EdgeCoreError `ERR_EDGECORE_BUS_TOPIC` */
function filtersOf(option: string, text: string): readonly string[] {
  const filters = text
    .split(',')
    .map((filter) => filter.trim())
    .filter((filter) => filter !== '');
  for (const filter of filters) {
    if (isFilter(filter)) continue;
    throw new EdgeCoreError('ERR_EDGECORE_BUS_TOPIC', `${option}: ${filter} is no filter`, { about: option });
  }
  return filters;
}
