import { randomUUID } from 'node:crypto';
import { UPLOAD_FILTERS } from '@hawser/devices';
import type { Clock, Logger } from '@hawser/seams';
import type { UpstreamBodies } from '@hawser/sync';
import type { BusMessage, EventBus } from '../event-bus/event-bus.ts';
import { BusVoice } from './bus-messages.ts';

/** What an {@link UploadTopics} needs. */
export interface UploadTopicsOptions {
  readonly bus: EventBus;
  /** Puts it into the outbox. */
  readonly upload: (id: string, body: UpstreamBodies['upload']) => void;
  /** Messages that go to the cloud, a second; more are dropped, and counted. */
  readonly perSecond: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Largest message that goes to the cloud: what waits for it is on the disk. */
export const UPLOAD_BYTES_MAX = 64 * 1024;
/** Seconds whose messages may come at once. */
const BURST_SECONDS = 10;
const TOPIC_MAX = 1024;

/** What was done since the start; for metrics. */
export interface UploadCounters {
  readonly taken: number;
  readonly tooLarge: number;
  readonly tooMany: number;
}

/**
 * What programs at the edge publish for the cloud, as it is: each message is an entry of the outbox, which drops the
 * oldest where there are too many. As they share the outbox with events of pods they are bounded here, too.
 */
export class UploadTopics {
  readonly #options: UploadTopicsOptions;
  readonly #voice: BusVoice;
  #tokens: number;
  #filledMs: number;
  #isFlooded = false;
  /** Of the last upload, wall time. */
  #lastMs = -Infinity;
  #counters = { taken: 0, tooLarge: 0, tooMany: 0 };

  constructor(options: UploadTopicsOptions) {
    this.#options = options;
    this.#voice = new BusVoice(options);
    this.#tokens = options.perSecond * BURST_SECONDS;
    this.#filledMs = options.clock.monotonicMs();
  }

  counters(): UploadCounters {
    return { ...this.#counters };
  }

  /** Called once. */
  start(): void {
    for (const filter of UPLOAD_FILTERS) this.#voice.hear(filter, (message) => this.#take(message));
  }

  /** Idempotent. */
  stop(): void {
    this.#voice.end();
  }

  #take({ topic, payload }: BusMessage): void {
    const { log, upload } = this.#options;
    if (payload.length > UPLOAD_BYTES_MAX || topic.length > TOPIC_MAX) {
      this.#counters.tooLarge += 1;
      log.warn(
        { topic: topic.slice(0, TOPIC_MAX), bytes: payload.length },
        'an upload is too large, and is dropped',
      );
      return;
    }
    if (!this.#may()) {
      this.#counters.tooMany += 1;
      if (!this.#isFlooded) log.warn({ topic }, 'there are more uploads than may be, which are dropped');
      this.#isFlooded = true;
      return;
    }
    this.#isFlooded = false;
    this.#counters.taken += 1;
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('base64');
    upload(randomUUID(), { topic, payload: text, at: this.#at() });
  }

  /**
   * When, each later than the one before: the hub tells uploads by node, topic, time and payload, and of two that are
   * alike in all of them a receiver would take the second one for the first one again.
   */
  #at(): string {
    this.#lastMs = Math.max(this.#options.clock.wallMs(), this.#lastMs + 1);
    return new Date(this.#lastMs).toISOString();
  }

  #may(): boolean {
    const { clock, perSecond } = this.#options;
    const nowMs = clock.monotonicMs();
    const filled = this.#tokens + ((nowMs - this.#filledMs) * perSecond) / 1_000;
    this.#tokens = Math.min(perSecond * BURST_SECONDS, filled);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
