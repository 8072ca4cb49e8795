import { randomBytes } from 'node:crypto';
import { deferred } from '@hawser/seams';
import type { MqttClient } from 'mqtt';
import { MapperError, messageOf } from '../errors.ts';
import type { SendOptions } from './mapper-bus.ts';

/** Where to, and as whom. */
export interface MqttSessionOptions {
  readonly url: string;
  readonly name?: string;
  readonly secret?: string | undefined;
  /** Longest time to connect, milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
}

/** How long a session that ends in good order may take, milliseconds. */
const END_MS = 2_000;

/** One connection to a broker, from CONNECT to its end; it does not come back. */
export class MqttSession {
  readonly #options: MqttSessionOptions;
  readonly #ended = deferred<Error>();
  #client: MqttClient | undefined;

  constructor(options: MqttSessionOptions) {
    this.#options = options;
  }

  /** Resolves with the reason when the connection has ended by itself. */
  get ended(): Promise<Error> {
    return this.#ended.promise;
  }

  /** Without what is secret in it. */
  get shownUrl(): string {
    return shownUrl(this.#options.url);
  }

  /**
   * Connects.
   * @throws MapperError `ERR_MAPPER_BUS_REFUSED`, `ERR_MAPPER_BUS_AWAY`
   */
  async open(onMessage: (topic: string, payload: Uint8Array) => void, signal: AbortSignal): Promise<void> {
    const { url, name, secret, connectTimeoutMs = 10_000 } = this.#options;
    // A third of the memory of a small mapper: loaded when it is needed.
    // By its default, which it has as well when it is bundled.
    const { default: mqtt } = await import('mqtt');
    signal.throwIfAborted();
    const client = mqtt.connect(url, {
      // The edge core's broker takes ids that begin with the name: nobody else's session can be taken over.
      clientId: `${name ?? 'hawser-push'}/${randomBytes(6).toString('hex')}`,
      protocolVersion: 4,
      clean: true,
      keepalive: 30,
      connectTimeout: connectTimeoutMs,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // 65,536 small buffers otherwise, kept for as long as the process lives.
      writeCache: false,
      ...(name === undefined ? {} : { username: name }),
      ...(secret === undefined ? {} : { password: secret }),
    });
    this.#client = client;
    client.on('message', (topic, payload) => onMessage(topic, payload));
    let lastError: Error | undefined;
    client.on('error', (error) => (lastError = error));
    const opened = deferred();
    client.once('connect', () => opened.resolve());
    client.once('close', () => {
      const reason = away(lastError);
      opened.reject(reason);
      this.#ended.resolve(reason);
    });
    const onAbort = (): void => opened.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await opened.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** @throws MapperError `ERR_MAPPER_BUS_REFUSED`, `ERR_MAPPER_BUS_AWAY` */
  async subscribe(filters: readonly string[]): Promise<void> {
    if (filters.length === 0) return;
    const client = this.#required();
    const answer = deferred();
    client.subscribe([...filters], { qos: 1 }, (error, granted) => {
      const refused = granted?.filter(({ qos }) => qos === 128).map(({ topic }) => topic) ?? [];
      if (refused.length > 0) {
        answer.reject(
          new MapperError('ERR_MAPPER_BUS_REFUSED', `subscription refused: ${refused.join(', ')}`),
        );
      } else if (error) answer.reject(away(error));
      else answer.resolve();
    });
    // A connection that ends while a subscription is under way ends without an answer.
    await Promise.race([answer.promise, this.ended.then((reason) => Promise.reject(reason))]);
  }

  /** Resolves when it is acknowledged. @throws MapperError `ERR_MAPPER_BUS_AWAY` */
  publish(topic: string, payload: string, { retain = false, qos = 1 }: SendOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#required().publish(topic, payload, { qos, retain }, (error) => {
        if (error) reject(away(error));
        else resolve();
      });
    });
  }

  /** @param gracefully what is under way is waited for, for 2 s at most. Idempotent. */
  async close(gracefully: boolean): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => client.end(true, () => resolve()), END_MS);
      // One that is not connected yet has nothing to wait for, and would keep its connection for as long as that may take.
      client.end(!gracefully || !client.connected, () => {
        clearTimeout(force);
        resolve();
      });
    });
  }

  #required(): MqttClient {
    if (this.#client === undefined) throw new MapperError('ERR_MAPPER_BUS_AWAY', 'the connection has ended');
    return this.#client;
  }
}

/** An address for logs and messages: without user and password. */
export function shownUrl(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch {
    return '(not an address)';
  }
}

function away(error: Error | undefined): MapperError {
  if (error instanceof MapperError) return error;
  // 1 … 5 of MQTT 3.1.1, section 3.2.2.3: the broker has answered, and does not want us.
  const code = (error as { code?: unknown } | undefined)?.code;
  const refused = typeof code === 'number' && code >= 1 && code <= 5;
  return new MapperError(
    refused ? 'ERR_MAPPER_BUS_REFUSED' : 'ERR_MAPPER_BUS_AWAY',
    error === undefined ? 'the connection has ended' : messageOf(error),
    { cause: error },
  );
}
