import type { StoredWill } from './journal.ts';
import { readRecords, type Addressee, type ReadRecord, type SessionRecord } from './log-record.ts';

/** A session, as the log has it. */
export interface ReadSession {
  readonly record: SessionRecord;
  readonly incoming: ReadonlySet<number>;
}

/** A message that sessions still need. */
export interface ReadMessage {
  readonly number: number;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly retained: boolean;
  readonly payload: Buffer;
  readonly to: readonly Addressee[];
}

/** What a retained message is made of. */
export interface ReadRetained {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly payload: Buffer;
  readonly name: string;
  readonly protocols: readonly string[];
}

/** What a log adds up to. */
export interface ReadJournal {
  readonly sessions: readonly ReadSession[];
  /** In order. */
  readonly messages: readonly ReadMessage[];
  readonly retained: readonly ReadRetained[];
  readonly wills: readonly (readonly [id: string, will: StoredWill])[];
  /** The highest number of a message; 0: none. */
  readonly lastNumber: number;
  readonly lostBytes: number;
  readonly isDamaged: boolean;
}

/** Adds up the records of a log. */
export function readJournal(log: Buffer): ReadJournal {
  const { records, lostBytes, isDamaged } = readRecords(log);
  const state = new JournalState();
  for (const record of records) state.apply(record);
  return { ...state.result(), lostBytes, isDamaged };
}

interface MessageState extends Omit<ReadMessage, 'to'> {
  readonly to: Map<string, Addressee>;
}

class JournalState {
  readonly #sessions = new Map<string, { record: SessionRecord; incoming: Set<number> }>();
  readonly #messages = new Map<number, MessageState>();
  readonly #retained = new Map<string, ReadRetained>();
  readonly #wills = new Map<string, StoredWill>();
  #lastNumber = 0;

  apply({ record, payload }: ReadRecord): void {
    switch (record.t) {
      case 'session':
        this.#sessions.set(record.id, { record, incoming: new Set(record.incoming) });
        return;
      case 'gone':
        this.#sessions.delete(record.id);
        this.#wills.delete(record.id);
        for (const number of [...this.#messages.keys()]) this.#done(record.id, number);
        return;
      case 'message': {
        const { n: number, topic, qos, r: retained = false, to, in: via } = record;
        this.#lastNumber = Math.max(this.#lastNumber, number);
        this.#messages.set(number, {
          number,
          topic,
          qos,
          retained,
          payload,
          to: new Map(to.map((one) => [one[0], one])),
        });
        if (via !== undefined) this.#sessions.get(via[0])?.incoming.add(via[1]);
        return;
      }
      case 'done':
        for (const [id, numbers] of record.of) for (const number of numbers) this.#done(id, number);
        return;
      case 'released': {
        const to = this.#messages.get(record.n)?.to;
        const [id, messageId, qos, retain] = to?.get(record.id) ?? [];
        if (id !== undefined && messageId !== undefined && qos !== undefined && retain !== undefined) {
          to?.set(id, [id, messageId, qos, retain, true]);
        }
        return;
      }
      case 'in-done':
        this.#sessions.get(record.id)?.incoming.delete(record.messageId);
        return;
      case 'retained': {
        const { topic, qos, name, protocols } = record;
        this.#retained.set(topic, { topic, qos, name, protocols, payload });
        return;
      }
      case 'unretained':
        this.#retained.delete(record.topic);
        return;
      case 'will': {
        const { topic, qos, retain } = record;
        this.#wills.set(record.id, { topic, qos, retain, payload });
        return;
      }
      case 'no-will':
        this.#wills.delete(record.id);
    }
  }

  result(): Omit<ReadJournal, 'lostBytes' | 'isDamaged'> {
    const messages = [...this.#messages.values()]
      .toSorted((a, b) => a.number - b.number)
      .map((message) => ({
        ...message,
        to: [...message.to.values()].filter(([id]) => this.#sessions.has(id)),
      }))
      .filter(({ to }) => to.length > 0);
    return {
      sessions: [...this.#sessions.values()],
      messages,
      retained: [...this.#retained.values()],
      wills: [...this.#wills],
      lastNumber: this.#lastNumber,
    };
  }

  #done(id: string, number: number): void {
    const message = this.#messages.get(number);
    if (message === undefined) return;
    message.to.delete(id);
    if (message.to.size === 0) this.#messages.delete(number);
  }
}
