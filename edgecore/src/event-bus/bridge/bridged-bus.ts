import { systemClock, type Clock, type Logger, type Random } from '@hawser/seams';
import type { IPublishPacket } from 'mqtt';
import { countIn, type BusCounters } from '../bus-counters.ts';
import type { EmbeddedBus } from '../embedded/embedded-bus.ts';
import type { PublishPacket } from '../embedded/publish-packet.ts';
import type { SessionLink } from '../embedded/session.ts';
import type { BusPublish } from '../event-bus.ts';
import type { BrokerAddress } from '../external/broker-address.ts';
import { BrokerConnection } from '../external/broker-connection.ts';
import { OutgoingMessages } from '../external/outgoing-messages.ts';
import type { Handler } from '../in-process-handlers.ts';
import type { BusStatus, RunningBus } from '../running-bus.ts';
import { matches } from '../topic-filter.ts';
import { EchoFilter } from './echo-filter.ts';

/** What a {@link BridgedBus} needs. */
export interface BridgedBusOptions {
  readonly embedded: EmbeddedBus;
  readonly address: BrokerAddress;
  readonly clientId: string;
  /** Filters of what comes from the external broker. */
  readonly filtersIn: readonly string[];
  /** Filters of what goes there. */
  readonly filtersOut: readonly string[];
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** More than the window of a session: nothing of QoS 1 is ever dropped here. */
const LIMITS = { retained: 1000, others: 1000, bytes: 16 * 1024 * 1024 } as const;

/**
 * Our own broker, bridged to an external one. What goes out waits in a lasting session of our broker until the other one
 * has acknowledged it; what comes in is acknowledged there when our broker has it. Nothing that came in goes out again.
 */
export class BridgedBus implements RunningBus, SessionLink {
  readonly #options: BridgedBusOptions;
  readonly #embedded: EmbeddedBus;
  readonly #outgoing: OutgoingMessages;
  readonly #connection: BrokerConnection;
  readonly #echoes: EchoFilter;
  readonly #levelsIn: readonly (readonly string[])[];
  #acknowledge: ((messageId: number) => void) | undefined;
  #starting: Promise<void> | undefined;
  /** Delivered before openBridge has returned. */
  readonly #early = new Set<number>();

  constructor(options: BridgedBusOptions) {
    const { embedded, filtersIn, log } = options;
    const clock = options.clock ?? systemClock;
    this.#options = options;
    this.#embedded = embedded;
    this.#levelsIn = filtersIn.map((filter) => filter.split('/'));
    this.#echoes = new EchoFilter(() => clock.monotonicMs());
    this.#outgoing = new OutgoingMessages(LIMITS, () => countIn(this.counters.dropped, 'bridge'));
    this.#connection = new BrokerConnection({
      address: options.address,
      clientId: options.clientId,
      outgoing: this.#outgoing,
      onMessage: (message) => this.#hear(message),
      noLocal: true,
      log,
      clock,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  get url(): string {
    return this.#embedded.url;
  }

  get counters(): BusCounters {
    return this.#embedded.counters;
  }

  start(): Promise<void> {
    this.#starting ??= this.#begin();
    return this.#starting;
  }

  async stop(): Promise<void> {
    await this.#connection.stop();
    await this.#embedded.stop();
    this.#acknowledge = undefined;
    this.#outgoing.clear();
  }

  publish(topic: string, payload: Uint8Array | string, options?: BusPublish): Promise<void> {
    return this.#embedded.publish(topic, payload, options);
  }

  subscribe(filter: string, handler: Handler): () => void {
    return this.#embedded.subscribe(filter, handler);
  }

  disconnect(name: string): void {
    this.#embedded.disconnect(name);
  }

  status(): BusStatus {
    return { ...this.#embedded.status(), ...this.#connection.state };
  }

  /** Of the session of what goes out. */
  deliver({ topic, payload, qos, retained, messageId }: PublishPacket): void {
    if (qos === 0 && !this.#connection.isConnected) return;
    if (this.#connection.hearsItself && this.#comesBack(topic)) this.#echoes.sent(topic, payload);
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    const done = this.#outgoing.add({ topic, payload: bytes, qos: qos === 0 ? 0 : 1, retain: retained });
    if (qos > 0) void done.then(() => this.#delivered(messageId));
    this.#connection.pump();
  }

  release(messageId: number): void {
    // It asks for QoS 1 only.
    this.#delivered(messageId);
  }

  async #begin(): Promise<void> {
    await this.#embedded.start();
    for (const filter of this.#options.filtersIn) this.#connection.subscribe(filter);
    this.#acknowledge = await this.#embedded.openBridge(this.#options.filtersOut, this);
    for (const messageId of this.#early) this.#acknowledge(messageId);
    this.#early.clear();
    this.#connection.start();
  }

  #delivered(messageId: number): void {
    if (this.#acknowledge === undefined) this.#early.add(messageId);
    else this.#acknowledge(messageId);
  }

  #comesBack(topic: string): boolean {
    const levels = topic.split('/');
    return this.#levelsIn.some((filter) => matches(filter, levels));
  }

  #hear({ topic, payload, qos, retain }: IPublishPacket): Promise<void> | undefined {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    if (this.#connection.hearsItself && this.#echoes.isEcho(topic, bytes)) return undefined;
    this.counters.received += 1;
    return this.#embedded.publishBridged({ topic, payload: bytes, qos, retain });
  }
}
