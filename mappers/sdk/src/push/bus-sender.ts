import type { Clock, Logger } from '@hawser/seams';
import type { MapperBus } from '../bus/mapper-bus.ts';
import { mqttReading, publishAll, type MqttReading } from './mqtt-reading.ts';
import type { Reading } from './reading.ts';
import type { Sender } from './receiver.ts';

/** Failures of a topic in a row after which it counts as one that the mapper may not publish to. */
const REFUSED_AFTER = 2;
/** How long such a topic is left alone, milliseconds. */
const LEFT_ALONE_MS = 600_000;
/** Topics that are remembered; of more the oldest is forgotten. */
const TOPICS_MAX = 10_000;

interface Topic {
  failures: number;
  /** Monotonic. */
  leftAloneUntilMs: number;
}

/**
 * `pushMethod.mqtt` without an address: the event bus. The edge core disconnects who publishes what it may not: about a device that is
 * gone, or to a topic that a device has made up and the definition of the mapper does not allow. One wrong Device would take the bus
 * from all others. So each topic is tried alone, acknowledged (QoS 1), before it is used after the bus has come; one at
 * which the bus goes away twice is left alone for ten minutes, and its readings are dropped and counted.
 */
export class BusSender implements Sender {
  readonly shown = 'event bus';
  readonly batchMax = 200;
  readonly timeoutMs = 10_000;
  readonly #bus: MapperBus;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #topics = new Map<string, Topic>();
  /** Topics at which the bus has acknowledged something, since it was away. */
  readonly #proven = new Set<string>();

  constructor(bus: MapperBus, clock: Clock, log: Logger) {
    this.#bus = bus;
    this.#clock = clock;
    this.#log = log;
  }

  async send(readings: readonly Reading[], signal: AbortSignal): Promise<number> {
    const messages = readings.map(mqttReading);
    const known = messages.filter(({ topic }) => this.#proven.has(topic));
    const unknown = messages.filter((message) => !known.includes(message));
    await this.#publish(known, signal);
    let refused = 0;
    for (const message of unknown) if (!(await this.#tryAlone(message, signal))) refused += 1;
    return refused;
  }

  /** The bus was away: what the mapper may do may be another thing now. */
  onDown(): void {
    this.#proven.clear();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** @returns whether it was taken; `false`: it never will be. @throws the bus is away */
  async #tryAlone(message: MqttReading, signal: AbortSignal): Promise<boolean> {
    const { topic } = message;
    if (this.#proven.has(topic)) {
      await this.#publish([message], signal);
      return true;
    }
    const state = this.#stateOf(topic);
    if (this.#clock.monotonicMs() < state.leftAloneUntilMs) return false;
    const wasConnected = this.#bus.connected;
    try {
      await this.#publish([{ ...message, options: { ...message.options, qos: 1 } }], signal);
    } catch (error) {
      if (wasConnected && !signal.aborted) this.#failed(topic, state);
      throw error;
    }
    state.failures = 0;
    if (this.#proven.size < TOPICS_MAX) this.#proven.add(topic);
    return true;
  }

  #failed(topic: string, state: Topic): void {
    state.failures += 1;
    if (state.failures < REFUSED_AFTER) return;
    state.failures = 0;
    state.leftAloneUntilMs = this.#clock.monotonicMs() + LEFT_ALONE_MS;
    this.#log.error(
      { topic },
      'the bus ends the connection at this topic of a pushMethod: allow it in the definition of the mapper (topics.publish), or take it out of the Device',
    );
  }

  #stateOf(topic: string): Topic {
    let state = this.#topics.get(topic);
    if (state === undefined) {
      const [oldest] = this.#topics.keys();
      if (this.#topics.size >= TOPICS_MAX && oldest !== undefined) this.#topics.delete(oldest);
      state = { failures: 0, leftAloneUntilMs: 0 };
      this.#topics.set(topic, state);
    }
    return state;
  }

  #publish(messages: readonly MqttReading[], signal: AbortSignal): Promise<void> {
    return publishAll(messages, (topic, text, options) => this.#bus.publish(topic, text, options), signal);
  }
}
