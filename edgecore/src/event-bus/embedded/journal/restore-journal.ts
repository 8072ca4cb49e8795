import type { BusAccount } from '../../bus-account.ts';
import type { BrokerPersistence } from '../broker-persistence.ts';
import type { RetainedMessages } from '../retained-messages.ts';
import { messageSize, type StoredMessage } from '../session.ts';
import type { Sessions } from '../sessions.ts';
import type { ReadJournal, ReadSession } from './read-journal.ts';

/**
 * Puts what a log says into sessions, retained messages and wills. All of it has come now: clocks may have been wrong
 * before.
 */
export function restoreJournal(
  { sessions: read, messages, retained: kept, wills }: ReadJournal,
  into: {
    readonly sessions: Sessions;
    readonly retained: RetainedMessages;
    readonly persistence: BrokerPersistence;
    /** Monotonic, ms. */
    readonly nowMs: number;
  },
): void {
  const { sessions, retained, persistence, nowMs } = into;
  for (const entry of read) {
    const session = sessions.restoreSession(entry.record.id, accountOf(entry), entry.record.subs);
    for (const messageId of entry.incoming) session.incoming.add(messageId);
  }
  for (const { number, topic, qos, retained: isRetained, payload, to } of messages) {
    const message = storedMessage({ number, topic, qos, retained: isRetained, payload }, nowMs);
    for (const [id, messageId, granted, retain, released] of to) {
      const session = sessions.get(id);
      if (session === undefined) continue;
      sessions.restore(session, { message, qos: granted, retain, messageId, sent: true, released });
    }
  }
  for (const { topic, qos, payload, name, protocols } of kept) {
    const message = storedMessage({ number: 0, topic, qos, retained: true, payload }, nowMs);
    retained.set(topic, { message, from: { name, protocols } });
  }
  for (const [id, will] of wills) persistence.restoreWill(id, will);
}

/** Its client says the rest when it comes back. */
function accountOf({ record: { name, protocols, hears } }: ReadSession): BusAccount {
  return {
    name,
    protocols: new Set(protocols),
    topics: { publish: [], subscribe: hears },
    messagesPerSecond: 1,
  };
}

function storedMessage(message: Omit<StoredMessage, 'atMs' | 'sizeBytes'>, atMs: number): StoredMessage {
  return { ...message, atMs, sizeBytes: messageSize(message) };
}
