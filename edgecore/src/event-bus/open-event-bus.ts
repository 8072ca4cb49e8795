import { silentLogger, type Clock, type Logger } from '@hawser/seams';
import type { EdgeConfig } from '../config/options.ts';
import type { Credentials, DeviceProtocols } from './bus-account.ts';
import { newBusCounters } from './bus-counters.ts';
import type { RunningBus } from './running-bus.ts';

/** Settings of {@link openEventBus}. */
export interface EventBusOptions {
  /** The section `eventBus`. `auto` counts as `embedded`: whether there is a bus at all is for the caller to know. */
  readonly config: EdgeConfig['eventBus'];
  /** Name of this node. */
  readonly node: string;
  /** Folder for what has to last; made (0700) if it is not there. */
  readonly dir: string;
  readonly credentials: Credentials;
  readonly devices: DeviceProtocols;
  /** Longest that the acknowledgement of a message waits for a handler. Default 10,000 ms */
  readonly handlerTimeoutMs?: number;
  readonly log?: Logger;
  readonly clock?: Clock;
}

/**
 * Makes the bus that the configuration asks for; it is not started yet. Brokers and clients are loaded here and not before.
 * @throws EdgeCoreError `ERR_EDGECORE_BUS_OFF`: the configuration says that there is none
 */
export async function openEventBus(options: EventBusOptions): Promise<RunningBus> {
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
      writeStallMs: 30_000,
      connectTimeoutMs: 10_000,
    },
    sessions: {
      perSession: { messages: config.sessionMaxMessages, bytes: config.sessionMaxBytes },
      sessions: config.maxSessions,
      bytes: config.sessionsMaxBytes,
      expiryMs: config.sessionExpiryMs,
    },
    retained: { messages: 1000, bytes: 2 * 1024 * 1024 },
    counters: newBusCounters(),
    log: options.log ?? silentLogger,
    ...(options.handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs: options.handlerTimeoutMs }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
}
