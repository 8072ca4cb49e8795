import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { AuthenticateError, Client, PublishPacket, Subscription } from 'aedes';
import { systemClock, type Clock, type Logger } from '@hawser/seams';
import type { BusAccount, Credentials } from '../bus-account.ts';
import { countIn, type BusCounters } from '../bus-counters.ts';
import { isFilter, isTopic } from '../topic-filter.ts';
import type { TopicRights } from '../topic-rights.ts';
import { BrokerPersistence } from './broker-persistence.ts';
import { ClientConnection } from './client-connection.ts';
import type { Journal } from './journal/journal.ts';
import type { MessageRouter } from './message-router.ts';
import { RoutingAedes, type Published } from './routing-aedes.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { TokenBucket } from './token-bucket.ts';

/** Bounds of the broker. */
export interface BrokerLimits {
  readonly clients: number;
  /** Clients with the same credentials. */
  readonly clientsPerName: number;
  /** Connections that have not said who they are; one more ends the one that has waited the longest. */
  readonly pending: number;
  readonly subscriptionsPerClient: number;
  readonly packetBytes: number;
  readonly writeBufferBytes: number;
  readonly writeStallMs: number;
  readonly connectTimeoutMs: number;
}

/** What a {@link EmbeddedBroker} is made of. */
export interface BrokerParts {
  readonly limits: BrokerLimits;
  readonly credentials: Credentials;
  readonly rights: TopicRights;
  readonly sessions: Sessions;
  readonly router: MessageRouter;
  readonly journal: Journal | undefined;
  readonly counters: BusCounters;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** A client that has said who it is. */
interface Entry {
  readonly account: BusAccount;
  readonly session: Session;
  readonly connection: ClientConnection;
  /** Until everything that it has published before is acknowledged; undefined: it is. */
  tail: Promise<void> | undefined;
}

const BAD_CREDENTIALS = 4;
const REFUSED_ID = 2;
const UNAVAILABLE = 3;

/** Clients, who they are and what they may: between aedes and the sessions. */
export class EmbeddedBroker {
  readonly #parts: BrokerParts;
  readonly #clock: Clock;
  readonly #aedes: RoutingAedes;
  readonly #persistence: BrokerPersistence;
  /** Clients that are here. */
  readonly #entries = new Map<Client, Entry>();
  /** Those that have gone as well: their wills are published afterwards. */
  readonly #known = new WeakMap<Client, Entry>();
  readonly #pending = new Set<ClientConnection>();
  readonly #wills = new WeakMap<Client, string>();
  /** What was published before it is acknowledged: aedes publishes after. */
  readonly #published = new WeakSet<PublishPacket>();

  constructor(parts: BrokerParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#persistence = new BrokerPersistence({
      sessions: parts.sessions,
      journal: parts.journal,
      sessionOf: (client) => this.#sessionOf(client),
      grant: (session, filter, qos) => this.#grant(session, filter, qos),
    });
    this.#aedes = new RoutingAedes(
      {
        persistence: this.#persistence,
        heartbeatInterval: 5 * 60_000,
        connectTimeout: parts.limits.connectTimeoutMs,
        drainTimeout: 0,
        maxClientsIdLength: 256,
        preConnect: (client, packet, done) => {
          // MQTT 3.1.1, 3.1.3.1: a client without an identifier gets one.
          if (packet.clientId === '' && packet.clean && packet.username !== undefined) {
            packet.clientId = `${packet.username}/${randomBytes(8).toString('hex')}`;
          }
          if (packet.will !== undefined) this.#wills.set(client, packet.will.topic);
          done(null, true);
        },
        authenticate: (client, name, password, done) => {
          void this.#authenticate(client, name, password).then(
            () => done(null, true),
            (error: unknown) => done(error as AuthenticateError, false),
          );
        },
        authorizePublish: (client, packet, done) => this.#authorizePublish(client, packet, done),
        authorizeSubscribe: (client, subscription, done) => {
          done(null, this.#authorizeSubscribe(client, subscription));
        },
      },
      (packet, client, done) => this.#publish(packet, client, done),
    );
  }

  /** Clients that have said who they are. */
  get clients(): number {
    return this.#entries.size;
  }

  /** What aedes asks of its persistence. */
  get persistence(): BrokerPersistence {
    return this.#persistence;
  }

  async start(): Promise<void> {
    const aedes = this.#aedes;
    aedes.on('connackSent', ({ returnCode }, client) => {
      const entry = this.#entries.get(client);
      if (returnCode === 0 && entry !== undefined) entry.session.attach(entry.connection);
    });
    aedes.on('subscribe', (subscriptions, client) => this.#subscribed(subscriptions, client));
    aedes.on('unsubscribe', (filters, client) => {
      const entry = this.#entries.get(client);
      // A client that goes is said to have unsubscribed; its session may stay.
      if (entry === undefined || client.closed) return;
      for (const filter of filters) this.#parts.sessions.unsubscribe(entry.session, filter);
    });
    aedes.on('keepaliveTimeout', () => this.#refuse('keepalive'));
    aedes.on('clientError', (client, error) => this.#failed(client, error));
    aedes.on('connectionError', (client, error) => this.#failed(client, error));
    // Not among the events of its types.
    EventEmitter.prototype.on.call(aedes, 'error', (err: unknown) =>
      this.#parts.log.error({ err }, 'the event bus failed'),
    );
    await aedes.listen();
  }

  stop(): Promise<void> {
    for (const connection of this.#pending) connection.destroy();
    return new Promise((resolve) => this.#aedes.close(resolve));
  }

  /** Takes a connection. */
  accept(socket: Socket): void {
    const { limits, counters } = this.#parts;
    const connection = new ClientConnection(socket, limits, (fault) => this.#refuse(fault), this.#clock);
    connection.onThrottled = () => {
      counters.throttled += 1;
    };
    this.#pending.add(connection);
    if (this.#pending.size > limits.pending) {
      const [oldest] = this.#pending;
      oldest?.destroy();
      this.#refuse('too-many-connections');
    }
    const client = this.#aedes.handle(connection);
    connection.on('close', () => {
      this.#pending.delete(connection);
      const entry = this.#entries.get(client);
      this.#entries.delete(client);
      if (entry !== undefined) this.#parts.sessions.close(entry.session, connection);
    });
  }

  /** Publishes wills of clients that were here in the life before, and have not come back. */
  async publishOldWills(): Promise<void> {
    const { sessions, router, rights } = this.#parts;
    const here = new Set([...this.#entries.keys()].map(({ id }) => id));
    for (const [id, will] of [...this.#persistence.wills()]) {
      if (here.has(id)) continue;
      const account = sessions.get(id)?.account;
      // It was checked when the client brought it; of what the definition says only a part is on the disk.
      if (account !== undefined && !rights.isForbidden(account, will.topic)) {
        await router.fromClient(will, account);
      }
      await this.#persistence.delWill({ id });
    }
  }

  /** Ends all clients with these credentials. */
  disconnect(name: string): void {
    for (const [client, { account }] of [...this.#entries]) if (account.name === name) client.close();
  }

  async #authenticate(client: Client, name: string | undefined, password: Buffer | undefined): Promise<void> {
    const { sessions, rights } = this.#parts;
    const account =
      name === undefined || password === undefined ? undefined : this.#parts.credentials(name, password);
    if (account === undefined) throw this.#denial('credentials', BAD_CREDENTIALS, name);
    const { id } = client;
    if (id !== account.name && !id.startsWith(`${account.name}/`)) {
      throw this.#denial('client-id', REFUSED_ID, name);
    }
    if (!this.#hasRoom(account, id)) throw this.#denial('too-many-clients', UNAVAILABLE, name);
    if (!client.clean && !sessions.hasRoomFor(id)) {
      throw this.#denial('too-many-sessions', UNAVAILABLE, name);
    }
    const will = this.#wills.get(client);
    if (will !== undefined && !(isTopic(will) && rights.mayPublish(account, will))) {
      throw this.#denial('publish', 5, name);
    }
    if (client.clean) await sessions.remove(id);
    const connection = client.conn;
    if (!(connection instanceof ClientConnection) || connection.destroyed) throw new Error('gone');
    this.#pending.delete(connection);
    connection.throttle(new TokenBucket(account.messagesPerSecond, this.#clock));
    const before = sessions.get(id);
    const known = before?.account;
    const session = sessions.open(id, account, !client.clean);
    const entry: Entry = { account, session, connection, tail: undefined };
    this.#entries.set(client, entry);
    this.#known.set(client, entry);
    this.#parts.counters.connected += 1;
    const isOnDisk = session === before && isSameAccount(known, account);
    if (session.lasting && !isOnDisk) await this.#parts.journal?.session(session);
  }

  #hasRoom(account: BusAccount, id: string): boolean {
    const { limits } = this.#parts;
    let ofName = 0;
    let all = 0;
    for (const [client, entry] of this.#entries) {
      if (client.id === id) continue; // which this one takes the place of
      all += 1;
      if (entry.account.name === account.name) ofName += 1;
    }
    return all < limits.clients && ofName < limits.clientsPerName;
  }

  #authorizePublish(
    client: Client | null,
    packet: PublishPacket,
    done: (error?: Error | null) => void,
  ): void {
    const entry = client === null ? undefined : this.#known.get(client);
    if (client === null || entry === undefined) {
      done(new Error('it is not connected'));
      return;
    }
    const { topic, qos } = packet;
    if (!isTopic(topic) || !this.#parts.rights.mayPublish(entry.account, topic)) {
      this.#refuse('publish', { client: client.id, topic });
      done(new Error(`may not publish to ${topic}`));
      return;
    }
    // QoS 2 is published when aedes knows that it is not a repetition.
    if (qos === 2) {
      done();
      return;
    }
    this.#published.add(packet);
    this.#inOrder(entry, this.#parts.router.fromClient(packet, entry.account), done);
  }

  /** After whatever the client has published before. */
  #inOrder(entry: Entry, wait: Promise<void> | undefined, done: () => void): void {
    if (wait === undefined && entry.tail === undefined) {
      done();
      return;
    }
    const tail = Promise.all([entry.tail, wait]).then(() => {
      if (entry.tail === tail) entry.tail = undefined;
      done();
    });
    entry.tail = tail;
  }

  #publish(packet: PublishPacket, client: Client | null, done: Published): void {
    if (this.#published.delete(packet)) {
      done();
      return;
    }
    const entry = client === null ? undefined : this.#known.get(client);
    if (entry === undefined) {
      done(new Error('it is not connected'));
      return;
    }
    const incoming =
      packet.qos === 2 && packet.messageId !== undefined
        ? ([entry.session, packet.messageId] as const)
        : undefined;
    this.#inOrder(entry, this.#parts.router.fromClient(packet, entry.account, incoming), done);
  }

  #authorizeSubscribe(client: Client, subscription: Subscription): Subscription | null {
    const entry = this.#entries.get(client);
    if (entry === undefined) return null;
    const { topic, qos } = subscription;
    const granted = this.#grant(entry.session, topic, qos);
    // At once: the others of the same packet are counted with it.
    if (granted !== undefined) {
      this.#parts.sessions.subscribe(entry.session, topic, granted);
      return subscription;
    }
    // Of a session that was restored: its definition does not allow it any more.
    this.#parts.sessions.unsubscribe(entry.session, topic);
    this.#refuse('subscribe', { client: client.id, topic });
    return null;
  }

  #grant(session: Session, filter: string, qos: 0 | 1 | 2): 0 | 1 | 2 | undefined {
    const { limits, rights } = this.#parts;
    if (!isFilter(filter) || !rights.maySubscribe(session.account, filter)) return undefined;
    const isNew = !session.subscriptions.has(filter);
    return isNew && session.subscriptions.size >= limits.subscriptionsPerClient ? undefined : qos;
  }

  /** SUBACK is on its way. */
  #subscribed(subscriptions: readonly Subscription[], client: Client): void {
    const entry = this.#entries.get(client);
    if (entry === undefined) return;
    for (const { topic, qos } of subscriptions) {
      const granted: number = qos;
      if (granted === 128) continue;
      this.#parts.router.sendRetained(entry.session, topic, qos);
    }
  }

  #sessionOf(client: Pick<Client, 'id'>): Session {
    const entry = this.#known.get(client as Client);
    if (entry === undefined) throw new Error('it is not connected');
    return entry.session;
  }

  #denial(reason: string, returnCode: number, name: string | undefined): Error {
    this.#refuse(reason, { name });
    return Object.assign(new Error(reason), { returnCode });
  }

  #refuse(reason: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const { counters, log } = this.#parts;
    countIn(counters.refused, reason);
    // Each of them: whoever tries is told by the metric; the log has the first.
    if (counters.refused.get(reason) === 1) {
      log.warn({ reason, ...fields }, 'a client of the event bus was refused');
    }
  }

  #failed(client: Client, error: Error): void {
    if (error.message === 'connect did not arrive in time') this.#refuse('connect-timeout');
    this.#parts.log.debug({ err: error, client: client.id }, 'a client of the event bus was disconnected');
  }
}

/** Whether what the disk has of an account is still so. */
function isSameAccount(before: BusAccount | undefined, now: BusAccount): boolean {
  const parts = (account: BusAccount): unknown => [
    account.name,
    [...account.protocols],
    account.topics.subscribe,
  ];
  return before !== undefined && JSON.stringify(parts(before)) === JSON.stringify(parts(now));
}
