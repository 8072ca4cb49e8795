import '../lean-packets.ts';
import {
  connect,
  type IClientOptions,
  type IConnackPacket,
  type IPublishPacket,
  type MqttClient,
} from 'mqtt';
import { Backoff, systemClock, type Clock, type Logger, type Random, type Timer } from '@hawser/seams';
import type { EdgeCoreError } from '../../errors.ts';
import type { BusStatus } from '../running-bus.ts';
import { credentialsOf, type BrokerAddress } from './broker-address.ts';
import { brokerFailure, isOtherVersion } from './broker-failure.ts';
import type { OutgoingMessages, OutgoingMessage } from './outgoing-messages.ts';

/** What a {@link BrokerConnection} needs. */
export interface BrokerConnectionOptions {
  readonly address: BrokerAddress;
  /** The same over restarts: the session at the broker has its name. */
  readonly clientId: string;
  readonly outgoing: OutgoingMessages;
  /** A message came; it is acknowledged when this resolves. Must not reject. */
  readonly onMessage: (message: IPublishPacket) => Promise<void> | undefined;
  /** Whether what it sends does not come back to it; where the broker speaks MQTT 5. Default false */
  readonly noLocal?: boolean;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_SECONDS = 30;
/** How long a broker that speaks MQTT 5 keeps the session; those of 3.1.1 have their own limit. */
const SESSION_EXPIRY_SECONDS = 7 * 24 * 3600;
const BACKOFF = { baseMs: 1000, capMs: 60_000 } as const;

/** Connects to a broker, again and again, with a session that survives; subscribes and sends whenever it is there. */
export class BrokerConnection {
  readonly #options: BrokerConnectionOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  /** Wanted filters; whether the session at the broker has them. */
  readonly #filters = new Map<string, boolean>();
  #version: 4 | 5 = 5;
  #client: MqttClient | undefined;
  #isReady = false;
  #retry: Timer | undefined;
  #failure: EdgeCoreError | undefined;
  #running = false;

  constructor(options: BrokerConnectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = new Backoff({
      ...BACKOFF,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  /** Whether the broker sends back what matches its own filters. */
  get hearsItself(): boolean {
    return this.#version === 4 || this.#options.noLocal !== true;
  }

  get isConnected(): boolean {
    return this.#isReady;
  }

  /** For the status of a bus: whether the broker is there, and why not. */
  get state(): Pick<BusStatus, 'connected' | 'failure'> {
    if (this.#isReady || this.#failure === undefined) return { connected: this.#isReady };
    const { code, message } = this.#failure;
    return { connected: false, failure: { code, message } };
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#connect();
  }

  /** Says goodbye; the session at the broker goes on collecting. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#retry?.cancel();
    const client = this.#client;
    this.#client = undefined;
    this.#isReady = false;
    await client?.endAsync(!client.connected);
  }

  subscribe(filter: string): void {
    this.#filters.set(filter, false);
    if (this.#isReady && this.#client !== undefined) this.#subscribeAll(this.#client);
  }

  unsubscribe(filter: string): void {
    this.#filters.delete(filter);
    if (this.#isReady) this.#client?.unsubscribe(filter, ignoreError);
  }

  /** Sends what waits. */
  pump(): void {
    const client = this.#client;
    if (client === undefined || !this.#isReady) return;
    for (;;) {
      const message = this.#options.outgoing.next();
      if (message === undefined) return;
      this.#send(client, message, () => {
        this.#options.outgoing.delivered(message);
        this.pump();
      });
    }
  }

  #send(client: MqttClient, { topic, payload, qos, retain }: OutgoingMessage, delivered: () => void): void {
    client.publish(topic, payload, { qos, retain }, (error) => {
      // Of another connection: it is sent again. A broker that refuses a message (MQTT 5) has answered.
      if (this.#client !== client) return;
      if (error instanceof Error && !('code' in error && typeof error.code === 'number')) return;
      if (error instanceof Error) {
        this.#options.log.warn({ err: error, topic }, 'the external broker refused a message; it is dropped');
      }
      delivered();
    });
  }

  async #connect(): Promise<void> {
    const { address, clientId } = this.#options;
    try {
      const credentials = await credentialsOf(address);
      if (!this.#running) return;
      this.#use(connect(address.url, { ...credentials, ...this.#settings(clientId) }));
    } catch (error) {
      this.#failed(error);
      this.#again();
    }
  }

  #settings(clientId: string): IClientOptions {
    return {
      clientId,
      clean: false,
      protocolVersion: this.#version,
      keepalive: KEEPALIVE_SECONDS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // What is sent again, and when, is decided here.
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      ...(this.#version === 5
        ? { properties: { sessionExpiryInterval: SESSION_EXPIRY_SECONDS, receiveMaximum: 100 } }
        : {}),
    };
  }

  #use(client: MqttClient): void {
    this.#client = client;
    let error: unknown;
    client.handleMessage = (packet, done) => {
      const wait = this.#client === client ? this.#options.onMessage(packet) : undefined;
      if (wait === undefined) done();
      else void wait.then(() => done());
    };
    client.on('connect', (packet) => this.#connected(client, packet));
    client.on('disconnect', ({ reasonCode }) => {
      error = new Error(`the broker ended the connection (${reasonCode ?? 'no reason'})`);
    });
    client.on('error', (cause) => {
      error = cause;
    });
    client.on('close', () => {
      if (this.#client !== client) return;
      this.#closed(error);
    });
  }

  #connected(client: MqttClient, { sessionPresent }: IConnackPacket): void {
    if (this.#client !== client) return;
    this.#isReady = true;
    this.#backoff.reset();
    this.#failure = undefined;
    const { log, address } = this.#options;
    log.info(
      { url: address.url, version: this.#version, sessionPresent },
      'connected to the external broker',
    );
    if (!sessionPresent) for (const filter of this.#filters.keys()) this.#filters.set(filter, false);
    this.#subscribeAll(client);
    this.pump();
  }

  #subscribeAll(client: MqttClient): void {
    const missing = [...this.#filters].filter(([, isThere]) => !isThere).map(([filter]) => filter);
    if (missing.length === 0) return;
    const { noLocal = false } = this.#options;
    const of5 = this.#version === 5 ? { rap: true, nl: noLocal } : {};
    client.subscribe(missing, { qos: 1, ...of5 }, (error, granted) => {
      if (this.#client !== client) return;
      for (const { topic, qos } of granted ?? []) {
        const isGranted: boolean = qos < 128;
        if (this.#filters.has(topic)) this.#filters.set(topic, isGranted);
      }
      const refused = missing.filter((filter) => this.#filters.get(filter) === false);
      if (refused.length === 0 && !(error instanceof Error)) return;
      this.#options.log.warn({ err: error, refused }, 'the external broker refused subscriptions');
    });
  }

  #closed(error: unknown): void {
    const wasReady = this.#isReady;
    this.#isReady = false;
    this.#client = undefined;
    this.#options.outgoing.takeBack();
    if (!this.#running) return;
    // Some brokers that do not know MQTT 5 close without a word.
    if (!wasReady && (isOtherVersion(error) || error === undefined))
      this.#version = this.#version === 5 ? 4 : 5;
    this.#failed(error ?? new Error('the broker closed the connection'));
    this.#again();
  }

  /** Once for each reason. */
  #failed(error: unknown): void {
    const failure = brokerFailure(this.#options.address.url, error);
    if (failure.message === this.#failure?.message) return;
    this.#failure = failure;
    this.#options.log.warn({ err: failure, code: failure.code }, failure.message);
  }

  #again(): void {
    if (!this.#running) return;
    this.#retry = this.#clock.setTimer(this.#backoff.nextMs(), () => void this.#connect());
  }
}

function ignoreError(): void {
  // The session ends with what it has; it is not heard any more here.
}
