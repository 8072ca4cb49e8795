import { Readable } from 'node:stream';
import type { Client, Subscription } from 'aedes';
import type { Journal, StoredWill } from './journal/journal.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

type ClientId = Pick<Client, 'id'>;
interface PacketId {
  readonly cmd?: string;
  readonly messageId?: number;
}

/** Decides whether a client may have a subscription; the QoS that it gets. undefined: it may not. */
export type Grant = (session: Session, filter: string, qos: 0 | 1 | 2) => 0 | 1 | 2 | undefined;

/**
 * What aedes asks of its persistence (aedes-persistence 11), over the sessions of our broker. Messages do not pass here:
 * the broker routes and delivers them itself, in order, so that what aedes would stream is always empty.
 *
 * A method that rejects ends the connection of its client.
 */
export class BrokerPersistence {
  readonly #sessions: Sessions;
  readonly #journal: Journal | undefined;
  readonly #sessionOf: (client: ClientId) => Session;
  readonly #grant: Grant;
  readonly #wills = new Map<string, StoredWill>();

  constructor(parts: {
    readonly sessions: Sessions;
    readonly journal: Journal | undefined;
    /** The session of a client that is connecting or connected. */
    readonly sessionOf: (client: ClientId) => Session;
    readonly grant: Grant;
  }) {
    this.#sessions = parts.sessions;
    this.#journal = parts.journal;
    this.#sessionOf = parts.sessionOf;
    this.#grant = parts.grant;
  }

  async setup(): Promise<void> {
    // Sessions are there before the broker is.
  }

  /** aedes hands over the whole packet once for each of its subscriptions, those that were refused included. */
  async addSubscriptions(client: ClientId, subscriptions: readonly Subscription[]): Promise<void> {
    const session = this.#sessionOf(client);
    let changed = false;
    for (const { topic, qos } of subscriptions) {
      const granted = this.#grant(session, topic, qos);
      if (granted === undefined || session.subscriptions.get(topic) === granted) continue;
      this.#sessions.subscribe(session, topic, granted);
      changed = true;
    }
    // Whoever finds nothing changed may still be before the write of the one that did.
    if (changed || session.lasting) await this.#journal?.session(session);
  }

  async removeSubscriptions(client: ClientId, filters: readonly string[]): Promise<void> {
    const session = this.#sessionOf(client);
    for (const filter of filters) this.#sessions.unsubscribe(session, filter);
    if (session.lasting) await this.#journal?.session(session);
  }

  subscriptionsByClient({ id }: ClientId): Promise<readonly { topic: string; qos: 0 | 1 | 2 }[]> {
    const session = this.#sessions.get(id);
    if (session?.lasting !== true) return Promise.resolve([]);
    return Promise.resolve([...session.subscriptions].map(([topic, qos]) => ({ topic, qos })));
  }

  cleanSubscriptions({ id }: ClientId): Promise<void> {
    return this.#sessions.get(id)?.lasting === true ? this.#sessions.remove(id) : Promise.resolve();
  }

  /** PUBREC of a client with a lasting session: the message is not sent again, whatever happens. */
  async outgoingUpdate(client: ClientId, { messageId = 0 }: PacketId): Promise<void> {
    const session = this.#sessionOf(client);
    const delivery = session.release(messageId);
    // MQTT 3.1.1, 4.3.3: PUBREL is said of an identifier that is not known any more, too.
    if (delivery !== undefined) await this.#journal?.released(session, delivery);
  }

  /** PUBACK and PUBCOMP. */
  outgoingClearMessageId(client: ClientId, { messageId = 0 }: PacketId): Promise<undefined> {
    this.#sessionOf(client).acknowledge(messageId);
    return Promise.resolve(undefined);
  }

  /** Noted only: it becomes durable together with its message, when that is published right after. */
  incomingStorePacket(client: ClientId, { messageId = 0 }: PacketId): Promise<void> {
    this.#sessionOf(client).incoming.add(messageId);
    return Promise.resolve();
  }

  incomingGetPacket(client: ClientId, packet: PacketId): Promise<PacketId> {
    const isThere = this.#sessionOf(client).incoming.has(packet.messageId ?? 0);
    return isThere ? Promise.resolve(packet) : Promise.reject(new Error('no such packet'));
  }

  async incomingDelPacket(client: ClientId, { messageId = 0 }: PacketId): Promise<void> {
    const session = this.#sessionOf(client);
    if (!session.incoming.delete(messageId)) throw new Error('no such packet');
    if (session.lasting) await this.#journal?.incomingDone(session, messageId);
  }

  cleanIncoming({ id }: ClientId): Promise<void> {
    this.#sessions.get(id)?.incoming.clear();
    return Promise.resolve();
  }

  async putWill(client: ClientId, will: StoredWill): Promise<void> {
    this.#wills.set(client.id, will);
    if (this.#sessionOf(client).lasting) await this.#journal?.will(client.id, will);
  }

  async delWill({ id }: ClientId): Promise<StoredWill | undefined> {
    const will = this.#wills.get(id);
    if (!this.#wills.delete(id)) return undefined;
    await this.#journal?.will(id, undefined);
    return will;
  }

  getWill({ id }: ClientId): Promise<StoredWill | undefined> {
    return Promise.resolve(this.#wills.get(id));
  }

  /** Puts a will of the life before back; its client is not here. */
  restoreWill(id: string, will: StoredWill): void {
    this.#wills.set(id, will);
  }

  /** Wills that have to last. */
  *wills(): Generator<readonly [string, StoredWill]> {
    for (const entry of this.#wills) if (this.#sessions.get(entry[0])?.lasting === true) yield entry;
  }

  /** aedes would publish those of clients that are here. Those of the life before are published by the broker. */
  streamWill(): Readable {
    return Readable.from([]);
  }

  createRetainedStreamCombi(): Readable {
    return Readable.from([]);
  }

  outgoingStream(): Readable {
    return Readable.from([]);
  }
}
