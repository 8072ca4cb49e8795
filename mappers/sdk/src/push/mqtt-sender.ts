import { MqttSession } from '../bus/mqtt-session.ts';
import { mqttReading, publishAll } from './mqtt-reading.ts';
import type { Reading } from './reading.ts';
import type { Sender } from './receiver.ts';

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
      await publishAll(
        readings.map(mqttReading),
        (topic, text, options) => session.publish(topic, text, options),
        signal,
      );
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
