import { randomUUID } from 'node:crypto';
import { DeviceError, type BasePayload, type BusTwin, type FailedResult } from '@hawser/devices';
import type { Clock, Logger } from '@hawser/seams';
import type { BusMessage, BusPublish, EventBus } from '../event-bus/event-bus.ts';
import type { TwinView } from './twins.ts';

/** What topics do with the bus, and what they count. */
export interface BusCounters {
  /** Messages that came, and those of them that could not be read, or were not the sender's to say. */
  received: number;
  malformed: number;
  forbidden: number;
  /** Messages that the bus did not take. */
  unpublished: number;
}

/** Says things on the bus, and reads what is said there. */
export class BusVoice {
  readonly #bus: EventBus;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #endings: (() => void)[] = [];
  readonly counters: BusCounters = { received: 0, malformed: 0, forbidden: 0, unpublished: 0 };

  constructor(options: { readonly bus: EventBus; readonly clock: Clock; readonly log: Logger }) {
    this.#bus = options.bus;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Hears a topic until {@link end}. What a handler throws because the message cannot be read is counted. */
  hear(filter: string, handler: (message: BusMessage) => void | Promise<void>): void {
    const heard = async (message: BusMessage): Promise<void> => {
      this.counters.received += 1;
      try {
        await handler(message);
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        this.counters.malformed += 1;
        this.#log.debug({ topic: message.topic, error: error.message }, 'a message cannot be used');
      }
    };
    this.#endings.push(this.#bus.subscribe(filter, heard));
  }

  /** Whether it is worth making a message. */
  isHeard(topic: string): boolean {
    return this.#bus.isHeard?.(topic) ?? true;
  }

  /** Says something, a text as it is; what the bus does not take is counted. */
  say(topic: string, payload: object | string, options?: BusPublish): void {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    this.#bus.publish(topic, text, options).catch((error: unknown) => {
      this.counters.unpublished += 1;
      this.#log.debug({ err: error, topic }, 'the bus did not take a message');
    });
  }

  /** What a message begins with. @param eventId of the one that it answers; empty: none */
  base(eventId = ''): BasePayload {
    return { event_id: eventId === '' ? randomUUID() : eventId, timestamp: this.#clock.wallMs() };
  }

  /** The answer to what could not be done. */
  failure(eventId: string, code: number, reason: string): FailedResult {
    return { ...this.base(eventId), code, reason };
  }

  /** Ends what is heard. Idempotent. */
  end(): void {
    for (const ending of this.#endings.splice(0)) ending();
  }
}

/** Code of an answer: what HTTP would say. */
export function codeOf(error: unknown): number {
  if (!(error instanceof DeviceError)) return 500;
  switch (error.code) {
    case 'ERR_DEVICES_UNKNOWN':
      return 404;
    case 'ERR_DEVICES_READ_ONLY':
      return 403;
    case 'ERR_DEVICES_VALUE':
      return 422;
    case 'ERR_DEVICES_BUSY':
      return 429;
    default:
      return 400;
  }
}

/** A twin as messages have it. */
export function busTwin({ type, expected, reported }: TwinView): BusTwin {
  return {
    ...(expected !== undefined && { expected: { value: expected.value } }),
    ...(reported !== undefined && {
      actual: { value: reported.value, metadata: { timestamp: reported.atMs } },
    }),
    optional: false,
    metadata: { type: type.toLowerCase() },
  };
}

/** Whether a client speaks for devices of a protocol; an external broker has made sure of its own. */
export function speaksFor({ client }: BusMessage, protocol: string): boolean {
  return client === undefined || client.protocols.has(protocol);
}
