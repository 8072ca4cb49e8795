import { systemClock, type Clock, type Logger, type Timer } from '@hawser/seams';
import type { BusAccount } from '../bus-account.ts';
import { countIn, type BusCounters } from '../bus-counters.ts';
import { TopicTree } from '../topic-tree.ts';
import type { TopicRights } from '../topic-rights.ts';
import type { Journal } from './journal/journal.ts';
import {
  Session,
  type Delivery,
  type SessionEvents,
  type SessionLimits,
  type SessionLink,
  type StoredMessage,
} from './session.ts';

/** Bounds of all sessions together. */
export interface SessionsLimits {
  readonly perSession: SessionLimits;
  /** Lasting sessions; the one whose client is away the longest makes room for another. */
  readonly sessions: number;
  /** Of messages in all sessions. */
  readonly bytes: number;
  /** How long a session lasts without its client, and a message in it, in ms. */
  readonly expiryMs: number;
}

const SWEEP_MS = 60_000;

/** The sessions of all clients, and which of them a message is for. */
export class Sessions implements SessionEvents {
  readonly #limits: SessionsLimits;
  readonly #rights: TopicRights;
  readonly #journal: Journal | undefined;
  readonly #counters: BusCounters;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #byId = new Map<string, Session>();
  readonly #routes = new TopicTree<Session, 0 | 1 | 2>();
  readonly #told = new Set<string>();
  #sweep: Timer | undefined;
  #bytes = 0;

  constructor(parts: {
    readonly limits: SessionsLimits;
    readonly rights: TopicRights;
    readonly journal: Journal | undefined;
    readonly counters: BusCounters;
    readonly log: Logger;
    readonly clock?: Clock;
  }) {
    this.#limits = parts.limits;
    this.#rights = parts.rights;
    this.#journal = parts.journal;
    this.#counters = parts.counters;
    this.#log = parts.log;
    this.#clock = parts.clock ?? systemClock;
  }

  get(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  all(): Iterable<Session> {
    return this.#byId.values();
  }

  /** Bytes of messages that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get lasting(): number {
    let count = 0;
    for (const session of this.#byId.values()) if (session.lasting) count += 1;
    return count;
  }

  /** Whether another lasting session finds a place. */
  hasRoomFor(id: string): boolean {
    if (this.#byId.get(id)?.lasting === true || this.lasting < this.#limits.sessions) return true;
    for (const session of this.#byId.values()) if (session.lasting && !session.isOnline) return true;
    return false;
  }

  /** The session of a client: that which there is, where it is to last; else a new one. */
  open(id: string, account: BusAccount, lasting: boolean): Session {
    const there = this.#byId.get(id);
    if (there !== undefined && there.lasting && lasting) {
      there.account = account;
      return there;
    }
    if (there !== undefined) this.#forget(there);
    if (lasting) this.#makeRoom();
    const session = new Session(id, lasting, account, this.#limits.perSession, this);
    session.awaySinceMs = this.#clock.monotonicMs();
    this.#byId.set(id, session);
    this.#startSweeping();
    return session;
  }

  /** The client is gone; a session that does not last goes with it. */
  close(session: Session, link: SessionLink): void {
    session.detach(link, this.#clock.monotonicMs());
    if (!session.lasting) this.#forget(session);
  }

  /** Forgets a session, on the disk as well. */
  remove(id: string): Promise<void> {
    const session = this.#byId.get(id);
    if (session === undefined) return Promise.resolve();
    // First, so that not each of its messages is written to be gone.
    const gone = session.lasting ? this.#journal?.gone(id) : undefined;
    this.#forget(session);
    return gone ?? Promise.resolve();
  }

  subscribe(session: Session, filter: string, qos: 0 | 1 | 2): void {
    session.subscriptions.set(filter, qos);
    this.#routes.set(filter, session, qos);
  }

  unsubscribe(session: Session, filter: string): void {
    session.subscriptions.delete(filter);
    this.#routes.delete(filter, session);
  }

  /**
   * Puts a message into each session that it is for.
   * @param except a session that does not get it
   * @returns those that last
   */
  deliver(
    message: StoredMessage,
    levels: readonly string[],
    except?: string,
  ): readonly (readonly [Session, Delivery])[] {
    const lasting: (readonly [Session, Delivery])[] = [];
    for (const [session, granted] of this.#receivers(levels)) {
      if (session.id === except || !this.#rights.mayHear(session.account, levels)) continue;
      const qos = Math.min(message.qos, granted);
      if (qos === 0) session.deliverAtMostOnce(message, false);
      else {
        const delivery = this.enqueue(session, message, qos === 1 ? 1 : 2, false);
        if (session.lasting) lasting.push([session, delivery]);
      }
    }
    return lasting;
  }

  /** Puts a message into one session. */
  enqueue(session: Session, message: StoredMessage, qos: 1 | 2, retain: boolean): Delivery {
    this.#bytes += message.sizeBytes;
    const delivery = session.enqueue(message, qos, retain);
    while (this.#bytes > this.#limits.bytes) if (this.#largest()?.dropOldest() !== true) break;
    return delivery;
  }

  /** A lasting session that was read from the disk. */
  restoreSession(
    id: string,
    account: BusAccount,
    subscriptions: readonly (readonly [string, 0 | 1 | 2])[],
  ): Session {
    const session = this.open(id, account, true);
    for (const [filter, qos] of subscriptions) this.subscribe(session, filter, qos);
    return session;
  }

  /** As {@link enqueue}, of one that was read from the disk. */
  restore(session: Session, delivery: Delivery): void {
    this.#bytes += delivery.message.sizeBytes;
    session.restore(delivery);
  }

  settled(session: Session, delivery: Delivery): void {
    this.#bytes -= delivery.message.sizeBytes;
    if (session.lasting) this.#journal?.settled(session, delivery);
  }

  dropped(session: Session): void {
    countIn(this.#counters.dropped, 'session');
    this.#tell(session.id, 'messages for a client do not fit, or wait too long; the oldest are dropped');
  }

  /** Whether any session, one that is away too, is to have what is published under a topic. */
  hears(levels: readonly string[]): boolean {
    for (const { account } of this.#receivers(levels).keys())
      if (this.#rights.mayHear(account, levels)) return true;
    return false;
  }

  stop(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }

  /** Each session once, with the best of its subscriptions that match. */
  #receivers(levels: readonly string[]): ReadonlyMap<Session, 0 | 1 | 2> {
    const found = new Map<Session, 0 | 1 | 2>();
    this.#routes.match(levels, (session, qos) => {
      if (qos >= (found.get(session) ?? 0)) found.set(session, qos);
    });
    return found;
  }

  #forget(session: Session): void {
    for (const filter of [...session.subscriptions.keys()]) this.unsubscribe(session, filter);
    session.clear();
    if (this.#byId.get(session.id) !== session) return;
    this.#byId.delete(session.id);
    this.#told.delete(session.id);
  }

  #makeRoom(): void {
    while (this.lasting >= this.#limits.sessions) {
      let oldest: Session | undefined;
      for (const session of this.#byId.values()) {
        if (!session.lasting || session.isOnline) continue;
        if ((session.awaySinceMs ?? 0) < (oldest?.awaySinceMs ?? Infinity)) oldest = session;
      }
      if (oldest === undefined) return;
      this.#drop(oldest, 'there are too many lasting sessions; the one unused the longest is forgotten');
    }
  }

  #largest(): Session | undefined {
    let largest: Session | undefined;
    for (const session of this.#byId.values()) if (session.bytes > (largest?.bytes ?? 0)) largest = session;
    return largest;
  }

  #startSweeping(): void {
    this.#sweep ??= this.#clock.setTimer(
      SWEEP_MS,
      () => {
        this.#sweep = undefined;
        this.#expire();
        if (this.#byId.size > 0) this.#startSweeping();
      },
      { background: true },
    );
  }

  #expire(): void {
    const before = this.#clock.monotonicMs() - this.#limits.expiryMs;
    for (const session of [...this.#byId.values()]) {
      if (session.lasting && (session.awaySinceMs ?? Infinity) < before) {
        this.#drop(session, 'a client is away for too long; its session is forgotten');
      } else session.expire(before);
    }
  }

  #drop(session: Session, why: string): void {
    this.#counters.forgotten += 1;
    countIn(this.#counters.dropped, 'session', session.length);
    this.#log.warn({ client: session.id, messages: session.length }, why);
    void this.remove(session.id); // a journal never rejects
  }

  /** Once for each session: the counters have the rest. */
  #tell(client: string, message: string): void {
    if (this.#told.has(client)) return;
    this.#told.add(client);
    this.#log.warn({ client }, message);
  }
}
