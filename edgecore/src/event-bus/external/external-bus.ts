import { systemClock, type Clock, type Logger, type Random } from '@hawser/seams';
import type { IPublishPacket } from 'mqtt';
import { EdgeCoreError } from '../../errors.ts';
import { countIn, type BusCounters } from '../bus-counters.ts';
import type { BusPublish } from '../event-bus.ts';
import { InProcessHandlers, type Handler } from '../in-process-handlers.ts';
import type { BusStatus, RunningBus } from '../running-bus.ts';
import { isFilter, isTopic } from '../topic-filter.ts';
import type { BrokerAddress } from './broker-address.ts';
import { BrokerConnection } from './broker-connection.ts';
import { OutgoingMessages } from './outgoing-messages.ts';

/** What an {@link ExternalBus} needs. */
export interface ExternalBusOptions {
  readonly address: BrokerAddress;
  readonly clientId: string;
  readonly handlerTimeoutMs?: number;
  readonly counters: BusCounters;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

const LIMITS = { retained: 10_000, others: 1000, bytes: 16 * 1024 * 1024 } as const;

/** The event bus with a broker that others run. Who may say what there is its business. */
export class ExternalBus implements RunningBus {
  readonly counters: BusCounters;
  readonly #options: ExternalBusOptions;
  readonly #handlers: InProcessHandlers;
  readonly #outgoing: OutgoingMessages;
  readonly #connection: BrokerConnection;
  /** How many handlers each filter has. */
  readonly #filters = new Map<string, number>();

  constructor(options: ExternalBusOptions) {
    const { counters, log } = options;
    const clock = options.clock ?? systemClock;
    this.counters = counters;
    this.#options = options;
    this.#handlers = new InProcessHandlers(log, options.handlerTimeoutMs, clock);
    this.#outgoing = new OutgoingMessages(LIMITS, () => this.#dropped());
    this.#connection = new BrokerConnection({
      address: options.address,
      clientId: options.clientId,
      outgoing: this.#outgoing,
      onMessage: (message) => this.#hear(message),
      log,
      clock,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  get url(): string {
    return this.#options.address.url;
  }

  /** Does not wait for the broker. */
  start(): Promise<void> {
    this.#connection.start();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#connection.stop();
    this.#outgoing.clear();
  }

  async publish(topic: string, payload: Uint8Array | string, options: BusPublish = {}): Promise<void> {
    if (!isTopic(topic)) {
      throw new EdgeCoreError('ERR_EDGECORE_BUS_TOPIC', `${topic} is no topic`, { about: topic });
    }
    const { qos = 1, retain = false } = options;
    this.counters.sent += 1;
    // At most once: it does not wait for a broker that is away.
    if (qos === 0 && !retain && !this.#connection.isConnected) {
      this.#dropped();
      return;
    }
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload);
    const done = this.#outgoing.add({ topic, payload: bytes, qos, retain });
    this.#connection.pump();
    await done;
  }

  subscribe(filter: string, handler: Handler): () => void {
    if (!isFilter(filter)) {
      throw new EdgeCoreError('ERR_EDGECORE_BUS_TOPIC', `${filter} is no filter`, { about: filter });
    }
    const end = this.#handlers.add(filter, handler);
    this.#filters.set(filter, (this.#filters.get(filter) ?? 0) + 1);
    // Again where others have it: the broker then sends what it has retained.
    this.#connection.subscribe(filter);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      end();
      const left = (this.#filters.get(filter) ?? 1) - 1;
      if (left > 0) this.#filters.set(filter, left);
      else {
        this.#filters.delete(filter);
        this.#connection.unsubscribe(filter);
      }
    };
  }

  disconnect(): void {
    // Clients are the broker's business.
  }

  status(): BusStatus {
    return {
      clients: 0,
      sessions: 0,
      queued: this.#outgoing.length,
      queuedBytes: this.#outgoing.bytes,
      retained: 0,
      ...this.#connection.state,
    };
  }

  #hear({ topic, payload, qos, retain }: IPublishPacket): Promise<void> | undefined {
    this.counters.received += 1;
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    return this.#handlers.call({ topic, payload: bytes, qos, retain, client: undefined }, topic.split('/'));
  }

  #dropped(): void {
    countIn(this.counters.dropped, 'outgoing');
    if (this.counters.dropped.get('outgoing') === 1) {
      this.#options.log.warn(
        {},
        'messages for the external broker do not fit while it is away; they are dropped',
      );
    }
  }
}
