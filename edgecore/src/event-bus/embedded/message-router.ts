import { systemClock, type Clock, type Logger } from '@hawser/seams';
import type { BusAccount } from '../bus-account.ts';
import { countIn, type BusCounters } from '../bus-counters.ts';
import type { BusClient, BusMessage } from '../event-bus.ts';
import type { Handler, InProcessHandlers } from '../in-process-handlers.ts';
import type { TopicRights } from '../topic-rights.ts';
import { BRIDGE, BRIDGE_ACCOUNT } from './bridge-account.ts';
import type { Journal, RetainedMessage } from './journal/journal.ts';
import type { RetainedMessages } from './retained-messages.ts';
import { messageSize, type Session, type StoredMessage } from './session.ts';
import type { Sessions } from './sessions.ts';

/** A message that is published. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** A session that it came from, and does not go to. */
  readonly except?: string;
}

/** Takes each message to whom it is for: sessions, handlers of the edge core, and those who come later. */
export class MessageRouter {
  readonly #sessions: Sessions;
  readonly #retained: RetainedMessages;
  readonly #handlers: InProcessHandlers;
  readonly #rights: TopicRights;
  readonly #journal: Journal | undefined;
  readonly #counters: BusCounters;
  readonly #log: Logger;
  readonly #clock: Clock;
  #number = 0;

  constructor(parts: {
    readonly sessions: Sessions;
    readonly retained: RetainedMessages;
    readonly handlers: InProcessHandlers;
    readonly rights: TopicRights;
    readonly journal: Journal | undefined;
    readonly counters: BusCounters;
    readonly log: Logger;
    readonly clock?: Clock;
  }) {
    this.#sessions = parts.sessions;
    this.#retained = parts.retained;
    this.#handlers = parts.handlers;
    this.#rights = parts.rights;
    this.#journal = parts.journal;
    this.#counters = parts.counters;
    this.#log = parts.log;
    this.#clock = parts.clock ?? systemClock;
  }

  /** Goes on behind the last message that the disk has. */
  continueFrom(number: number): void {
    this.#number = number;
  }

  /**
   * Of a client, which may publish it. Everybody has it, in their sessions at least, when this returns.
   * @param incoming session and identifier of one of QoS 2
   * @returns when it may be acknowledged: handlers of the edge core are done, and it is on the disk where it has to be;
   *   undefined: at once. Never rejects.
   */
  fromClient(
    publication: Publication,
    from: BusAccount,
    incoming?: readonly [Session, number],
  ): Promise<void> | undefined {
    this.#counters.received += 1;
    const { message, levels, stored } = this.#route(publication, from, incoming);
    const handled = this.#handlers.call(busMessage(publication, message, from), levels);
    if (handled === undefined) return stored;
    return stored === undefined ? handled : Promise.all([stored, handled]).then(() => undefined);
  }

  /** Of the edge core. @returns when it is where it has to be; its own handlers are not waited for */
  fromEdgeCore(publication: Publication): Promise<void> | undefined {
    this.#counters.sent += 1;
    const { message, levels, stored } = this.#route(publication, undefined, undefined);
    void this.#handlers.call(busMessage(publication, message, undefined), levels);
    return stored;
  }

  /** Of another broker. @returns as {@link fromClient} does */
  fromBroker(publication: Publication): Promise<void> | undefined {
    // What it has kept here is bounded, and on the disk, as that of clients is.
    const { message, levels, stored } = this.#route(publication, BRIDGE_ACCOUNT, undefined);
    const handled = this.#handlers.call(busMessage(publication, message, undefined), levels);
    return handled === undefined ? stored : Promise.all([stored, handled]).then(() => undefined);
  }

  /** What was kept of the topics that a filter matches, to a session that has just subscribed. */
  sendRetained(session: Session, filter: string, granted: 0 | 1 | 2): void {
    for (const { message } of this.#retained.matching(filter)) {
      if (!this.#rights.mayHear(session.account, message.topic.split('/'))) continue;
      const qos = Math.min(message.qos, granted);
      if (qos === 0) {
        session.deliverAtMostOnce(message, true);
        continue;
      }
      const delivery = this.#sessions.enqueue(session, message, qos === 1 ? 1 : 2, true);
      if (session.lasting) void this.#journal?.message(message, [[session, delivery]]);
    }
  }

  /** The same to a handler of the edge core. */
  callWithRetained(filter: string, handler: Handler): void {
    for (const { message, from } of [...this.#retained.matching(filter)]) {
      const { topic, payload, qos } = message;
      void this.#handlers.run(handler, { topic, payload, qos, retain: true, client: clientOf(from) });
    }
  }

  #route(
    publication: Publication,
    from: BusAccount | undefined,
    incoming: readonly [Session, number] | undefined,
  ): { message: StoredMessage; levels: readonly string[]; stored: Promise<void> | undefined } {
    const { topic, qos, retain } = publication;
    const levels = topic.split('/');
    // Of its own: what was read from a socket is a part of something larger.
    const given = publication.payload;
    const payload = typeof given === 'string' ? Buffer.from(given) : Buffer.from(given);
    const sizeBytes = messageSize({ topic, payload });
    const atMs = this.#clock.monotonicMs();
    const number = (this.#number += 1);
    const message = { number, topic, payload, qos, retained: retain, atMs, sizeBytes };
    const kept = retain ? this.#keep(message, from) : undefined;
    const lasting = this.#sessions.deliver(message, levels, publication.except);
    const isDurable = lasting.length > 0 || incoming?.[0].lasting === true;
    const written = isDurable ? this.#journal?.message(message, lasting, incoming) : undefined;
    const stored = kept === undefined ? written : Promise.all([kept, written]).then(() => undefined);
    return { message, levels, stored };
  }

  #keep(message: StoredMessage, from: BusAccount | undefined): Promise<void> | undefined {
    const { topic, payload } = message;
    const before = this.#retained.get(topic);
    if (payload.length === 0) {
      this.#retained.delete(topic);
      return before?.from === undefined ? undefined : this.#journal?.retained(topic, undefined);
    }
    const author = from === undefined ? undefined : { name: from.name, protocols: [...from.protocols] };
    const entry: RetainedMessage = { message, from: author };
    if (!this.#retained.set(topic, entry)) {
      countIn(this.#counters.dropped, 'retained');
      if (this.#counters.dropped.get('retained') === 1) {
        this.#log.warn(
          { topic, name: from?.name },
          'more messages are to be retained than there is room for',
        );
      }
      return undefined;
    }
    if (author === undefined) {
      // In place of somebody else's, which must not come back.
      return before?.from === undefined ? undefined : this.#journal?.retained(topic, undefined);
    }
    return isSame(before, entry) ? undefined : this.#journal?.retained(topic, entry);
  }
}

function isSame(before: RetainedMessage | undefined, { message, from }: RetainedMessage): boolean {
  if (before?.from?.name !== from?.name || before?.message.qos !== message.qos) return false;
  return Buffer.compare(before.message.payload, message.payload) === 0;
}

function busMessage(
  { qos, retain }: Publication,
  { topic, payload }: StoredMessage,
  client: BusClient | undefined,
): BusMessage {
  return { topic, payload, qos, retain, client };
}

/** Who it is for handlers: another broker is nobody, as when its message came. */
function clientOf(from: RetainedMessage['from']): BusClient | undefined {
  if (from === undefined || from.name === BRIDGE) return undefined;
  return { name: from.name, protocols: new Set(from.protocols) };
}
