import type { BusAccount } from '../bus-account.ts';
import type { PublishPacket } from './publish-packet.ts';

/** A message, as all sessions that it is for share it. */
export interface StoredMessage {
  /** Grows with each message, over restarts too. */
  readonly number: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  /** As it was published. */
  readonly qos: 0 | 1 | 2;
  /** Whether it was published to be retained. */
  readonly retained: boolean;
  /** When it came, or was read from the disk: monotonic, ms. */
  readonly atMs: number;
  readonly sizeBytes: number;
}

/** Of what a message takes beside topic and payload, in bytes; about. */
const OVERHEAD_BYTES = 200;

/** Bytes that a message counts for. */
export function messageSize({ topic, payload }: Pick<StoredMessage, 'topic' | 'payload'>): number {
  return payload.length + topic.length + OVERHEAD_BYTES;
}

/** A message on its way to one session. */
export interface Delivery {
  readonly message: StoredMessage;
  readonly qos: 1 | 2;
  /** Because it was kept for those who subscribe later. */
  readonly retain: boolean;
  /** Packet identifier, of its own among those of its session for as long as it is not acknowledged. */
  readonly messageId: number;
  /** Sent before, or that is not known: the client may have had it. */
  sent: boolean;
  /** QoS 2: received, and we have said PUBREL. */
  released: boolean;
}

/** What a client hears by. */
export interface SessionLink {
  deliver(packet: PublishPacket): void;
  /** QoS 2: PUBREL. */
  release(messageId: number): void;
}

/** Bounds of one session. */
export interface SessionLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** Who is told what becomes of deliveries of QoS 1 and 2. */
export interface SessionEvents {
  /** The client has it, or it was dropped: the session does not need it any more. */
  settled(session: Session, delivery: Delivery): void;
  dropped(session: Session, delivery: Delivery): void;
}

/** Sent and not acknowledged, at a time; as much as a small client has room for. */
const WINDOW_MESSAGES = 64;
const WINDOW_BYTES = 256 * 1024;

/**
 * What is for one client: in order, a window of it on its way, the rest waiting. One that lasts goes on collecting
 * QoS 1 and 2 while its client is away.
 */
export class Session {
  readonly id: string;
  /** Of MQTT: clean session = 0. */
  readonly lasting: boolean;
  account: BusAccount;
  /** Filters with their QoS. */
  readonly subscriptions = new Map<string, 0 | 1 | 2>();
  /** Packet identifiers of QoS 2 messages that its client has published and not released. */
  readonly incoming = new Set<number>();
  /** When its client went away, monotonic, ms; undefined: it is here. */
  awaySinceMs: number | undefined;
  readonly #limits: SessionLimits;
  readonly #events: SessionEvents;
  /** Not sent over this connection yet. */
  #waiting: Delivery[] = [];
  /** Sent over this connection. */
  readonly #underWay = new Map<number, Delivery>();
  readonly #ids = new Set<number>();
  #bytes = 0;
  #windowBytes = 0;
  #link: SessionLink | undefined;
  #lastId = 0;

  constructor(
    id: string,
    lasting: boolean,
    account: BusAccount,
    limits: SessionLimits,
    events: SessionEvents,
  ) {
    this.id = id;
    this.lasting = lasting;
    this.account = account;
    this.#limits = limits;
    this.#events = events;
  }

  get isOnline(): boolean {
    return this.#link !== undefined;
  }

  /** Messages of QoS 1 and 2 that its client has not acknowledged. */
  get length(): number {
    return this.#waiting.length + this.#underWay.size;
  }

  /** Bytes of those messages. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Its client is here, and has had its CONNACK. */
  attach(link: SessionLink): void {
    if (this.#link !== undefined) this.#takeBack();
    this.#link = link;
    this.awaySinceMs = undefined;
    this.#pump();
  }

  /** Its client is away; nothing to do where another one has come in its place. What was under way is sent again. */
  detach(link: SessionLink, nowMs: number): void {
    if (this.#link !== link && this.#link !== undefined) return;
    this.#link = undefined;
    this.awaySinceMs = nowMs;
    this.#takeBack();
  }

  /** QoS 0: at once, or never. */
  deliverAtMostOnce(message: StoredMessage, retain: boolean): void {
    const { topic, payload, retained } = message;
    this.#link?.deliver({ topic, payload, qos: 0, retain, retained, dup: false, messageId: 0 });
  }

  /** QoS 1 and 2: as soon as there is room in its window. */
  enqueue(message: StoredMessage, qos: 1 | 2, retain: boolean): Delivery {
    const messageId = this.#nextId();
    const delivery: Delivery = { message, qos, retain, messageId, sent: false, released: false };
    this.restore(delivery);
    this.#pump();
    return delivery;
  }

  /** As {@link enqueue}, of one that was read from the disk. */
  restore(delivery: Delivery): void {
    this.#bytes += delivery.message.sizeBytes;
    this.#ids.add(delivery.messageId);
    this.#waiting.push(delivery);
    while (this.length > this.#limits.messages || this.#bytes > this.#limits.bytes) {
      if (this.length <= 1 || !this.dropOldest()) break;
    }
  }

  /** Drops those that came before `beforeMs`. */
  expire(beforeMs: number): void {
    while ((this.#waiting[0]?.message.atMs ?? Infinity) < beforeMs) this.dropOldest();
  }

  /** Drops the oldest that is not on its way to a client that is here. @returns whether there was one */
  dropOldest(): boolean {
    const oldest = this.#waiting.shift();
    if (oldest === undefined) return false;
    this.#forget(oldest);
    this.#events.dropped(this, oldest);
    this.#events.settled(this, oldest);
    return true;
  }

  /** The client has acknowledged (PUBACK, PUBCOMP). Nothing has this identifier: nothing to do. */
  acknowledge(messageId: number): void {
    const delivery = this.#underWay.get(messageId);
    if (delivery === undefined) return;
    this.#underWay.delete(messageId);
    this.#windowBytes -= delivery.message.sizeBytes;
    this.#forget(delivery);
    this.#events.settled(this, delivery);
    this.#pump();
  }

  /** The client has received it (PUBREC): from now on only PUBREL is said of it. */
  release(messageId: number): Delivery | undefined {
    const delivery = this.#underWay.get(messageId);
    if (delivery !== undefined) delivery.released = true;
    return delivery;
  }

  /** Whether its client still has to have it. */
  has({ messageId }: Delivery): boolean {
    return this.#ids.has(messageId);
  }

  /** Everything that its client has not acknowledged, in order. */
  deliveries(): readonly Delivery[] {
    return [...this.#underWay.values(), ...this.#waiting];
  }

  /** Forgets all of it. */
  clear(): void {
    const all = this.deliveries();
    this.#waiting = [];
    this.#underWay.clear();
    this.#windowBytes = 0;
    for (const delivery of all) {
      this.#forget(delivery);
      this.#events.settled(this, delivery);
    }
  }

  #pump(): void {
    const link = this.#link;
    if (link === undefined) return;
    while (this.#underWay.size < WINDOW_MESSAGES && this.#windowBytes < WINDOW_BYTES) {
      const delivery = this.#waiting.shift();
      if (delivery === undefined) return;
      this.#underWay.set(delivery.messageId, delivery);
      this.#windowBytes += delivery.message.sizeBytes;
      this.#write(link, delivery);
      delivery.sent = true;
    }
  }

  #write(link: SessionLink, { message, qos, retain, messageId, sent, released }: Delivery): void {
    const { topic, payload, retained } = message;
    if (released) link.release(messageId);
    else link.deliver({ topic, payload, qos, retain, retained, dup: sent, messageId });
  }

  /** In front of what waits, in its order. */
  #takeBack(): void {
    this.#waiting.unshift(...this.#underWay.values());
    this.#underWay.clear();
    this.#windowBytes = 0;
  }

  #forget({ messageId, message }: Delivery): void {
    this.#ids.delete(messageId);
    this.#bytes -= message.sizeBytes;
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId % 65_535) + 1;
    while (this.#ids.has(this.#lastId));
    return this.#lastId;
  }
}
