import { deferred, systemClock, type Clock, type Deferred, type Logger, type Timer } from '@hawser/seams';
import type { BusCounters } from '../../bus-counters.ts';
import type { Delivery, Session, StoredMessage } from '../session.ts';
import type { Journal, RetainedMessage, StoredWill } from './journal.ts';
import type { LogFile } from './log-file.ts';
import { encodeRecord, type Addressee, type LogRecord } from './log-record.ts';

/** What has to be in the log when it is written anew. */
export interface JournalSource {
  /** Lasting ones. */
  sessions(): Iterable<Session>;
  retained(): Iterable<readonly [string, RetainedMessage]>;
  wills(): Iterable<readonly [string, StoredWill]>;
  /** Bytes of all of it, about. */
  sizeBytes(): number;
}

/** A message that is not on the disk yet. */
interface Pending {
  readonly message: StoredMessage;
  /** Who still needs it. */
  readonly to: Map<Session, Delivery>;
  readonly incoming: readonly [Session, number] | undefined;
  readonly done: Deferred<undefined>;
}

/** Messages that come within this time share a flush; who has them by then needs none. */
const GATHER_MS = 10;
/** How long it may take until it is written that a message is not needed any more. */
const LAZY_MS = 2000;
/** A smaller log is not written anew. */
const COMPACT_MIN_BYTES = 1024 * 1024;
const RETRY_MS = { first: 5000, last: 60_000 } as const;

/** {@link Journal} on a log file. Flushes run in the thread pool of Node.js; the event loop never waits. */
export class SessionJournal implements Journal {
  readonly #file: LogFile;
  readonly #source: JournalSource;
  readonly #counters: BusCounters;
  readonly #log: Logger;
  readonly #clock: Clock;
  /** In order: records, and messages that may not be needed any more when they are written. */
  #queue: (Buffer | Pending)[] = [];
  readonly #pending = new Map<number, Pending>();
  #settled = new Map<string, number[]>();
  #next: Deferred<undefined> | undefined;
  #timer: Timer | undefined;
  #timerMs = Infinity;
  #writing: Promise<void> | undefined;
  /** The disk refuses; a new file is tried after this time. */
  #retryMs: number | undefined;
  /** Something was left to the new file, and may have come too late for it. */
  #missed = false;
  #isRewriteDue = false;
  #stopped = false;

  constructor(parts: {
    readonly file: LogFile;
    readonly source: JournalSource;
    readonly counters: BusCounters;
    readonly log: Logger;
    readonly clock?: Clock;
  }) {
    this.#file = parts.file;
    this.#source = parts.source;
    this.#counters = parts.counters;
    this.#log = parts.log;
    this.#clock = parts.clock ?? systemClock;
  }

  session(session: Session): Promise<void> {
    return this.#write(sessionRecord(session));
  }

  gone(id: string): Promise<void> {
    this.#settled.delete(id);
    for (const pending of this.#pending.values()) {
      for (const session of pending.to.keys()) if (session.id === id) this.#unneeded(pending, session);
    }
    return this.#write({ t: 'gone', id });
  }

  message(
    message: StoredMessage,
    deliveries: readonly (readonly [Session, Delivery])[],
    incoming?: readonly [Session, number],
  ): Promise<void> {
    if (this.#leaveToRewrite()) return Promise.resolve();
    // One that was dropped for lack of room is not written to be dropped.
    const to = new Map(deliveries.filter(([session, delivery]) => session.has(delivery)));
    const isNeeded = to.size > 0 || incoming?.[0].lasting === true;
    if (!isNeeded) return Promise.resolve();
    const pending: Pending = {
      message,
      to,
      incoming: incoming?.[0].lasting === true ? incoming : undefined,
      done: deferred(),
    };
    this.#pending.set(message.number, pending);
    this.#queue.push(pending);
    this.#schedule(GATHER_MS);
    return pending.done.promise;
  }

  settled(session: Session, { message }: Delivery): void {
    if (this.#leaveToRewrite()) return;
    const pending = this.#pending.get(message.number);
    if (pending?.to.has(session) === true) {
      this.#unneeded(pending, session);
      return;
    }
    const numbers = this.#settled.get(session.id);
    if (numbers === undefined) this.#settled.set(session.id, [message.number]);
    else numbers.push(message.number);
    this.#schedule(LAZY_MS);
  }

  released(session: Session, { message }: Delivery): Promise<void> {
    return this.#write({ t: 'released', id: session.id, n: message.number });
  }

  incomingDone(session: Session, messageId: number): Promise<void> {
    return this.#write({ t: 'in-done', id: session.id, messageId });
  }

  retained(topic: string, entry: RetainedMessage | undefined): Promise<void> {
    if (entry?.from === undefined) return this.#write({ t: 'unretained', topic });
    const { message, from } = entry;
    const { name, protocols } = from;
    return this.#write({ t: 'retained', topic, qos: message.qos, name, protocols }, message.payload);
  }

  will(id: string, will: StoredWill | undefined): Promise<void> {
    if (will === undefined) return this.#write({ t: 'no-will', id });
    const { topic, qos, retain, payload } = will;
    return this.#write({ t: 'will', id, topic, qos, retain }, payload);
  }

  /** Writes all of it anew, without what is not needed any more. */
  rewrite(): Promise<void> {
    this.#isRewriteDue = true;
    return this.#flush();
  }

  /** Writes what waits, and lets go of the file. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#flush();
    // What came while that wrote the first new file after an error.
    if (this.#isRewriteDue) await this.#flush();
    await this.#file.close();
  }

  get #isRefusing(): boolean {
    return this.#retryMs !== undefined;
  }

  /** @returns whether the disk refuses: then nothing is queued, whatever is in memory is written with a new file */
  #leaveToRewrite(): boolean {
    if (!this.#isRefusing) return false;
    this.#missed = true;
    return true;
  }

  #write(record: LogRecord, payload?: Uint8Array): Promise<void> {
    if (this.#leaveToRewrite()) return Promise.resolve();
    this.#queue.push(encodeRecord(record, payload));
    this.#next ??= deferred();
    this.#schedule(GATHER_MS);
    return this.#next.promise;
  }

  #unneeded(pending: Pending, session: Session): void {
    pending.to.delete(session);
    if (pending.to.size > 0 || pending.incoming !== undefined) return;
    this.#pending.delete(pending.message.number);
    pending.done.resolve(undefined);
  }

  #schedule(delayMs: number): void {
    if (this.#stopped || this.#timerMs <= delayMs) return;
    this.#timer?.cancel();
    this.#timerMs = delayMs;
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#timerMs = Infinity;
      void this.#flush();
    });
  }

  /** One at a time; what comes meanwhile is written by the next one. Never rejects. */
  async #flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    this.#writing = this.#flushNow();
    await this.#writing;
    this.#writing = undefined;
  }

  async #flushNow(): Promise<void> {
    const { bytes, done } = this.#take();
    try {
      if (this.#isRefusing || this.#isDueForRewrite(bytes.length)) await this.#replace();
      else if (bytes.length > 0) await this.#file.append(bytes);
    } catch (error) {
      this.#failed(error);
    }
    for (const each of done) each.resolve(undefined);
  }

  #take(): { bytes: Buffer; done: readonly Deferred<undefined>[] } {
    const done = this.#next === undefined ? [] : [this.#next];
    const records: Buffer[] = [];
    for (const entry of this.#queue) {
      if (Buffer.isBuffer(entry)) records.push(entry);
      else if (this.#pending.delete(entry.message.number)) {
        const { message, to, incoming } = entry;
        records.push(messageRecord(message, to, incoming));
        done.push(entry.done);
      }
    }
    if (this.#settled.size > 0) records.push(encodeRecord({ t: 'done', of: [...this.#settled] }));
    this.#queue = [];
    this.#next = undefined;
    this.#settled = new Map();
    return { bytes: Buffer.concat(records), done };
  }

  #isDueForRewrite(more: number): boolean {
    if (this.#isRewriteDue) return true;
    const size = this.#file.size + more;
    return size > COMPACT_MIN_BYTES && size > 3 * this.#source.sizeBytes();
  }

  async #replace(): Promise<void> {
    await this.#file.replace(this.#snapshot());
    if (!this.#isRefusing) return;
    this.#retryMs = undefined;
    this.#log.info({ file: this.#file.path }, 'sessions of the event bus are on the disk again');
    // What came while it was written is in neither file nor queue. Once: from now on everything is queued.
    if (!this.#missed) return;
    this.#isRewriteDue = true;
    this.#schedule(GATHER_MS);
  }

  /** What is in memory now: that includes whatever was taken to be written. */
  #snapshot(): Buffer {
    // An error has it written anew in any case.
    this.#isRewriteDue = false;
    this.#missed = false;
    const records: Buffer[] = [];
    const messages = new Map<number, { message: StoredMessage; to: Map<Session, Delivery> }>();
    for (const session of this.#source.sessions()) {
      records.push(encodeRecord(sessionRecord(session)));
      for (const delivery of session.deliveries()) {
        const { message } = delivery;
        const entry = messages.get(message.number);
        if (entry === undefined)
          messages.set(message.number, { message, to: new Map([[session, delivery]]) });
        else entry.to.set(session, delivery);
      }
    }
    const inOrder = [...messages.values()].toSorted((a, b) => a.message.number - b.message.number);
    for (const { message, to } of inOrder) records.push(messageRecord(message, to, undefined));
    for (const [topic, { message, from }] of this.#source.retained()) {
      if (from === undefined) continue;
      records.push(encodeRecord({ t: 'retained', topic, qos: message.qos, ...from }, message.payload));
    }
    for (const [id, { topic, qos, retain, payload }] of this.#source.wills()) {
      records.push(encodeRecord({ t: 'will', id, topic, qos, retain }, payload));
    }
    return Buffer.concat(records);
  }

  #failed(err: unknown): void {
    this.#counters.diskErrors += 1;
    if (this.#retryMs === undefined) {
      this.#log.error(
        { err, file: this.#file.path },
        'sessions of the event bus cannot be written; they are in memory until they can be',
      );
    }
    this.#retryMs = Math.min((this.#retryMs ?? RETRY_MS.first / 2) * 2, RETRY_MS.last);
    this.#schedule(this.#retryMs);
  }
}

function sessionRecord({ id, account, subscriptions, incoming }: Session): LogRecord {
  return {
    t: 'session',
    id,
    name: account.name,
    protocols: [...account.protocols],
    hears: account.topics.subscribe,
    subs: [...subscriptions],
    incoming: [...incoming],
  };
}

function messageRecord(
  { number, topic, qos, retained, payload }: StoredMessage,
  to: ReadonlyMap<Session, Delivery>,
  incoming: readonly [Session, number] | undefined,
): Buffer {
  const addressees = [...to].map(([{ id }, { messageId, qos: granted, retain, released }]): Addressee => [
    id,
    messageId,
    granted,
    retain,
    released,
  ]);
  const via = incoming === undefined ? {} : { in: [incoming[0].id, incoming[1]] as const };
  const kept = retained ? { r: true } : {};
  return encodeRecord({ t: 'message', n: number, topic, qos, ...kept, to: addressees, ...via }, payload);
}
