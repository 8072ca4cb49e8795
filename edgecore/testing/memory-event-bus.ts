import type { BusClient, BusMessage, BusPublish, EventBus } from '../src/event-bus/event-bus.ts';
import { matches } from '../src/event-bus/topic-filter.ts';

/** Something that was published. */
export interface Published {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

interface Subscription {
  readonly filter: readonly string[];
  readonly handler: (message: BusMessage) => void | Promise<void>;
}

/** An {@link EventBus} in memory, where retained messages stay for whoever comes later. */
export class MemoryEventBus implements EventBus {
  /** All that the edge core has published, in order. */
  readonly published: Published[] = [];
  /** By topic; not empty. */
  readonly retained = new Map<string, string>();
  readonly #subscriptions = new Set<Subscription>();
  /** What somebody hears; default: everything. */
  isHeard: (topic: string) => boolean = () => true;
  /** Whether the edge core that it was of has died: nothing is delivered any more. */
  closed = false;
  /** Whether {@link published} is kept. */
  isRecording = true;
  /** Set: it takes nothing. */
  failure: Error | undefined;

  async publish(topic: string, payload: Uint8Array | string, options: BusPublish = {}): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const text = typeof payload === 'string' ? payload : Buffer.from(payload).toString('utf8');
    const retain = options.retain ?? false;
    if (this.isRecording) this.published.push({ topic, payload: text, retain });
    await this.#deliver(topic, text, retain, undefined);
  }

  subscribe(filter: string, handler: Subscription['handler']): () => void {
    const subscription: Subscription = { filter: filter.split('/'), handler };
    this.#subscriptions.add(subscription);
    for (const [topic, payload] of this.retained) {
      if (!matches(subscription.filter, topic.split('/'))) continue;
      void handler({ topic, payload: Buffer.from(payload), qos: 1, retain: true, client: undefined });
    }
    return () => this.#subscriptions.delete(subscription);
  }

  /** A client says something; resolves when every handler has. */
  async say(topic: string, payload: object | string, client?: BusClient, retain = false): Promise<void> {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    await this.#deliver(topic, text, retain, client);
  }

  /** Payloads that were published under a topic, parsed. */
  said(topic: string): unknown[] {
    return this.published
      .filter((message) => message.topic === topic && message.payload !== '')
      .map(({ payload }) => JSON.parse(payload) as unknown);
  }

  async #deliver(
    topic: string,
    payload: string,
    retain: boolean,
    client: BusClient | undefined,
  ): Promise<void> {
    if (this.closed) return;
    if (retain && payload === '') this.retained.delete(topic);
    else if (retain) this.retained.set(topic, payload);
    const levels = topic.split('/');
    for (const { filter, handler } of this.#subscriptions)
      if (matches(filter, levels))
        await handler({ topic, payload: Buffer.from(payload), qos: 1, retain, client });
  }
}
