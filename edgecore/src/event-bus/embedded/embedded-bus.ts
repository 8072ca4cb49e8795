import { createServer, type Server, type Socket } from 'node:net';
import { systemClock, type Clock, type Logger, type Timer } from '@hawser/seams';
import { EdgeCoreError } from '../../errors.ts';
import type { BusCounters } from '../bus-counters.ts';
import type { BusPublish } from '../event-bus.ts';
import { InProcessHandlers, type Handler } from '../in-process-handlers.ts';
import type { BusStatus, RunningBus } from '../running-bus.ts';
import { isFilter, isTopic } from '../topic-filter.ts';
import { TopicRights } from '../topic-rights.ts';
import type { Credentials, DeviceProtocols } from '../bus-account.ts';
import { BRIDGE, BRIDGE_ACCOUNT } from './bridge-account.ts';
import { EmbeddedBroker, type BrokerLimits } from './embedded-broker.ts';
import { LogFile } from './journal/log-file.ts';
import { readJournal } from './journal/read-journal.ts';
import { restoreJournal } from './journal/restore-journal.ts';
import { SessionJournal } from './journal/session-journal.ts';
import { parseListen } from './listen-address.ts';
import { MessageRouter, type Publication } from './message-router.ts';
import type { SessionLink } from './session.ts';
import { RetainedMessages, type RetainedLimits } from './retained-messages.ts';
import { Sessions, type SessionsLimits } from './sessions.ts';

/** What an {@link EmbeddedBus} needs. */
export interface EmbeddedBusOptions {
  /** `host:port`, `[address]:port`; port 0: any. */
  readonly listen: string;
  /** Name of this node. */
  readonly node: string;
  /** Folder for what has to last. */
  readonly dir: string;
  readonly credentials: Credentials;
  readonly devices: DeviceProtocols;
  readonly broker: BrokerLimits;
  readonly sessions: SessionsLimits;
  readonly retained: RetainedLimits;
  readonly handlerTimeoutMs?: number;
  /** How long clients have to come back after a restart before their wills are published. */
  readonly willGraceMs: number;
  readonly counters: BusCounters;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** The event bus with a broker of our own. */
export class EmbeddedBus implements RunningBus {
  readonly counters: BusCounters;
  readonly #options: EmbeddedBusOptions;
  readonly #handlers: InProcessHandlers;
  readonly #retained: RetainedMessages;
  readonly #sessions: Sessions;
  readonly #router: MessageRouter;
  readonly #broker: EmbeddedBroker;
  readonly #journal: SessionJournal;
  readonly #file: LogFile;
  readonly #clock: Clock;
  /** Connections that came before the broker takes any. */
  readonly #waiting = new Set<Socket>();
  #isOpen = false;
  #oldWills: Timer | undefined;
  #starting: Promise<void> | undefined;
  #server: Server | undefined;
  #url = '';
  #stopping: Promise<void> | undefined;

  constructor(options: EmbeddedBusOptions) {
    const { log, counters, node, devices } = options;
    const clock = options.clock ?? systemClock;
    const rights = new TopicRights(node, devices);
    this.#clock = clock;
    this.#file = new LogFile(options.dir);
    this.#journal = new SessionJournal({
      file: this.#file,
      source: {
        sessions: () => [...this.#sessions.all()].filter(({ lasting }) => lasting),
        retained: () => this.#retained.ofOthers(),
        wills: () => this.#broker.persistence.wills(),
        sizeBytes: () => this.#sessions.bytes + this.#retained.bytes + 1000 * this.#sessions.lasting,
      },
      counters,
      log,
      clock,
    });
    const journal = this.#journal;
    this.counters = counters;
    this.#options = options;
    this.#handlers = new InProcessHandlers(log, options.handlerTimeoutMs, clock);
    this.#retained = new RetainedMessages(options.retained);
    this.#sessions = new Sessions({ limits: options.sessions, rights, journal, counters, log, clock });
    const shared = { sessions: this.#sessions, rights, journal, counters, log, clock };
    this.#router = new MessageRouter({ ...shared, retained: this.#retained, handlers: this.#handlers });
    this.#broker = new EmbeddedBroker({
      ...shared,
      router: this.#router,
      limits: options.broker,
      credentials: options.credentials,
    });
  }

  get url(): string {
    return this.#url;
  }

  /** May be tried again where it could not listen. @throws EdgeCoreError `ERR_EDGECORE_BUS_LISTEN` */
  async start(): Promise<void> {
    if (this.#stopping !== undefined) return;
    this.#starting ??= this.#begin();
    try {
      await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#finish();
    return this.#stopping;
  }

  async publish(topic: string, payload: Uint8Array | string, options: BusPublish = {}): Promise<void> {
    if (!isTopic(topic)) {
      throw new EdgeCoreError('ERR_EDGECORE_BUS_TOPIC', `${topic} is no topic`, { about: topic });
    }
    const { qos = 1, retain = false } = options;
    await this.#router.fromEdgeCore({ topic, payload, qos, retain });
  }

  subscribe(filter: string, handler: Handler): () => void {
    if (!isFilter(filter)) {
      throw new EdgeCoreError('ERR_EDGECORE_BUS_TOPIC', `${filter} is no filter`, { about: filter });
    }
    const end = this.#handlers.add(filter, handler);
    this.#router.callWithRetained(filter, handler);
    return end;
  }

  /**
   * A lasting session for what goes to another broker; after {@link start}.
   * @returns acknowledges a message of it, by its identifier
   */
  async openBridge(filters: readonly string[], link: SessionLink): Promise<(messageId: number) => void> {
    const session = this.#sessions.open(BRIDGE, BRIDGE_ACCOUNT, true);
    for (const filter of [...session.subscriptions.keys()]) this.#sessions.unsubscribe(session, filter);
    for (const filter of filters) this.#sessions.subscribe(session, filter, 1);
    await this.#journal.session(session);
    session.attach(link);
    return (messageId) => session.acknowledge(messageId);
  }

  /** What comes from another broker. @returns when it may be acknowledged there; undefined: at once */
  publishBridged(publication: Publication): Promise<void> | undefined {
    return this.#router.fromBroker({ ...publication, except: BRIDGE });
  }

  isHeard(topic: string): boolean {
    return this.#sessions.hears(topic.split('/'));
  }

  disconnect(name: string): void {
    this.#broker.disconnect(name);
  }

  status(): BusStatus {
    let queued = 0;
    for (const session of this.#sessions.all()) queued += session.length;
    return {
      clients: this.#broker.clients,
      sessions: this.#sessions.lasting,
      queued,
      queuedBytes: this.#sessions.bytes,
      retained: this.#retained.size,
      connected: true,
    };
  }

  async #begin(): Promise<void> {
    const { listen, log } = this.#options;
    const { host, port } = parseListen(listen);
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) =>
      this.#admit(socket),
    );
    try {
      const bound = await listening(server, listen, host, port);
      await this.#restore();
      await this.#broker.start();
      this.#url = `mqtt://${host.includes(':') ? `[${host}]` : host}:${bound}`;
    } catch (error) {
      server.close();
      this.#sendAway();
      throw error;
    }
    this.#server = server;
    server.on('error', (err) => log.warn({ err }, 'the event bus could not take a connection'));
    if (this.#stopping !== undefined) return;
    this.#isOpen = true;
    for (const socket of this.#waiting) this.#broker.accept(socket);
    this.#waiting.clear();
    log.info({ url: this.#url }, 'the event bus listens');
  }

  /** To the broker, as soon as it takes clients. */
  #admit(socket: Socket): void {
    // Nobody else listens for it while it waits; what it was is told by the close that follows.
    socket.on('error', () => {});
    if (this.#isOpen) this.#broker.accept(socket);
    else if (this.#stopping !== undefined) socket.destroy();
    else {
      this.#waiting.add(socket);
      socket.once('close', () => this.#waiting.delete(socket));
      const [oldest] = this.#waiting;
      if (this.#waiting.size > this.#options.broker.pending) oldest?.destroy();
    }
  }

  #sendAway(): void {
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
  }

  async #restore(): Promise<void> {
    const { log, counters } = this.#options;
    let bytes: Buffer = Buffer.alloc(0);
    try {
      bytes = await this.#file.read();
    } catch (err) {
      counters.diskErrors += 1;
      log.error({ err, file: this.#file.path }, 'sessions of the event bus cannot be read; they begin anew');
    }
    const read = readJournal(bytes);
    const nowMs = this.#clock.monotonicMs();
    const { persistence } = this.#broker;
    restoreJournal(read, { sessions: this.#sessions, retained: this.#retained, persistence, nowMs });
    this.#router.continueFrom(read.lastNumber);
    if (read.lostBytes > 0) await this.#mend(read.lostBytes, read.isDamaged);
    if (read.wills.length === 0) return;
    // Their clients have a while to come back.
    this.#oldWills = this.#clock.setTimer(
      this.#options.willGraceMs,
      () => void this.#broker.publishOldWills(), // neither router nor journal reject
      { background: true },
    );
  }

  /** Nothing is added behind bytes that are no record. */
  async #mend(lostBytes: number, isDamaged: boolean): Promise<void> {
    const { log, counters } = this.#options;
    const fields = { file: this.#file.path, lostBytes };
    if (isDamaged) {
      counters.diskErrors += 1;
      log.error(fields, 'sessions of the event bus were damaged on the disk; what is whole is used');
    } else
      log.warn(fields, 'the last write to the sessions of the event bus was not finished; it is dropped');
    await this.#journal.rewrite();
  }

  async #finish(): Promise<void> {
    this.#sendAway();
    // Else it would open what is closed here.
    await Promise.allSettled([this.#starting]);
    this.#oldWills?.cancel();
    const server = this.#server;
    const closed =
      server === undefined ? undefined : new Promise<void>((resolve) => server.close(() => resolve()));
    await this.#broker.stop();
    await closed;
    this.#sessions.stop();
    await this.#journal.stop();
  }
}

/** @returns the port. @throws EdgeCoreError `ERR_EDGECORE_BUS_LISTEN` */
function listening(server: Server, listen: string, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `the event bus cannot listen on ${listen}: ${cause.message}`;
      reject(new EdgeCoreError('ERR_EDGECORE_BUS_LISTEN', message, { about: listen, cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
