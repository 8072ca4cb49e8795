import { matches } from '../topic-filter.ts';
import type { RetainedMessage } from './journal/journal.ts';

/** Bounds of what others, a bridged broker too, may have kept; the edge core's own are as many as it has devices. */
export interface RetainedLimits {
  readonly messages: number;
  readonly bytes: number;
}

interface Kept extends RetainedMessage {
  readonly levels: readonly string[];
}

/** The latest message of each topic that was published to be retained. */
export class RetainedMessages {
  readonly #limits: RetainedLimits;
  readonly #byTopic = new Map<string, Kept>();
  #others = 0;
  #othersBytes = 0;

  constructor(limits: RetainedLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byTopic.size;
  }

  /** Bytes of those of others. */
  get bytes(): number {
    return this.#othersBytes;
  }

  get(topic: string): RetainedMessage | undefined {
    return this.#byTopic.get(topic);
  }

  /** @returns whether there was room for it */
  set(topic: string, entry: RetainedMessage): boolean {
    const before = this.#byTopic.get(topic);
    if (entry.from !== undefined && !this.#fits(entry, before)) return false;
    this.delete(topic);
    this.#count(entry, 1);
    this.#byTopic.set(topic, { ...entry, levels: topic.split('/') });
    return true;
  }

  delete(topic: string): void {
    const before = this.#byTopic.get(topic);
    if (before === undefined) return;
    this.#count(before, -1);
    this.#byTopic.delete(topic);
  }

  /** Those that match a filter. */
  *matching(filter: string): Generator<RetainedMessage> {
    if (!/[+#]/.test(filter)) {
      const exact = this.#byTopic.get(filter);
      if (exact !== undefined) yield exact;
      return;
    }
    const levels = filter.split('/');
    for (const entry of this.#byTopic.values()) if (matches(levels, entry.levels)) yield entry;
  }

  /** Those that others have published. */
  *ofOthers(): Generator<readonly [string, RetainedMessage]> {
    for (const [topic, entry] of this.#byTopic) if (entry.from !== undefined) yield [topic, entry];
  }

  #fits({ message }: RetainedMessage, before: RetainedMessage | undefined): boolean {
    const replaces = before?.from !== undefined;
    const messages = this.#others + (replaces ? 0 : 1);
    const bytes = this.#othersBytes + message.sizeBytes - (replaces ? before.message.sizeBytes : 0);
    return messages <= this.#limits.messages && bytes <= this.#limits.bytes;
  }

  #count({ from, message }: RetainedMessage, sign: 1 | -1): void {
    if (from === undefined) return;
    this.#others += sign;
    this.#othersBytes += sign * message.sizeBytes;
  }
}
