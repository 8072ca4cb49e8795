import type { BusAccount } from '../bus-account.ts';
import { encodePublish } from './publish-packet.ts';

/** A message, as all sessions that it is for share it. */
export interface StoredMessage {
  /** Grows with each message, over restarts too. */
  readonly number: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  /** As it was published. */
  readonly qos: 0 | 1 | 2;
  /** When it came, or was read from the disk: monotonic, ms. */
  readonly atMs: number;
  readonly sizeBytes: number;
}

/** A message on its way to one session. */
export interface Delivery {
  readonly message: StoredMessage;
  readonly qos: 1 | 2;
  /** Because it was kept for those who subscribe later. */
  readonly retain: boolean;
  /** Packet identifier; 0: not sent yet. */
  messageId: number;
  /** QoS 2: received, and we have said PUBREL. */
  released: boolean;
}

/** What a client hears by. */
export interface SessionLink {
  write(bytes: Buffer): unknown;
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
  #waiting: Delivery[] = [];
  readonly #underWay = new Map<number, Delivery>();
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

  /** Its client is here, and has had its CONNACK: what was under way is sent again, then what waits. */
  attach(link: SessionLink): void {
    this.#link = link;
    this.awaySinceMs = undefined;
    for (const delivery of this.#underWay.values()) {
      this.#windowBytes += delivery.message.sizeBytes;
      this.#write(link, delivery, true);
    }
    this.#pump();
  }

  /** Its client is away; nothing to do where another one has come in its place. */
  detach(link: SessionLink, nowMs: number): void {
    if (this.#link !== link && this.#link !== undefined) return;
    this.#link = undefined;
    this.awaySinceMs = nowMs;
    this.#windowBytes = 0;
  }

  /** QoS 0: at once, or never. */
  deliverAtMostOnce(message: StoredMessage, retain: boolean): void {
    this.#link?.write(encodePublish({ ...message, qos: 0, retain, dup: false, messageId: 0 }));
  }

  /** QoS 1 and 2: as soon as there is room in its window. */
  enqueue(message: StoredMessage, qos: 1 | 2, retain: boolean): Delivery {
    const delivery: Delivery = { message, qos, retain, messageId: 0, released: false };
    this.restore(delivery);
    this.#pump();
    return delivery;
  }

  /** As {@link enqueue}, of one that was read from the disk. */
  restore(delivery: Delivery): void {
    this.#bytes += delivery.message.sizeBytes;
    if (delivery.messageId > 0) this.#underWay.set(delivery.messageId, delivery);
    else this.#waiting.push(delivery);
    while (this.length > this.#limits.messages || this.#bytes > this.#limits.bytes) {
      if (this.length <= 1 || !this.#dropOldest()) break;
    }
  }

  /** Drops those that are older than `beforeMs`. */
  expire(beforeMs: number): void {
    while ((this.#oldest()?.message.atMs ?? Infinity) < beforeMs) if (!this.#dropOldest()) return;
  }

  /** Drops the oldest one. @returns whether there was one that could be dropped */
  dropOldest(): boolean {
    return this.#dropOldest();
  }

  /** When its oldest message came. */
  get oldestMs(): number | undefined {
    return this.#oldest()?.message.atMs;
  }

  /** The client has acknowledged (PUBACK, PUBCOMP). @returns what; undefined: nothing has this identifier */
  acknowledge(messageId: number): Delivery | undefined {
    const delivery = this.#underWay.get(messageId);
    if (delivery === undefined) return undefined;
    this.#underWay.delete(messageId);
    this.#bytes -= delivery.message.sizeBytes;
    if (this.#link !== undefined) this.#windowBytes -= delivery.message.sizeBytes;
    this.#events.settled(this, delivery);
    this.#pump();
    return delivery;
  }

  /** The client has received it (PUBREC): from now on only PUBREL is said of it. */
  release(messageId: number): Delivery | undefined {
    const delivery = this.#underWay.get(messageId);
    if (delivery !== undefined) delivery.released = true;
    return delivery;
  }

  /** Everything that its client has not acknowledged, in order. */
  deliveries(): readonly Delivery[] {
    return [...this.#underWay.values(), ...this.#waiting];
  }

  /** Forgets all of it. */
  clear(): void {
    for (const delivery of this.deliveries()) this.#events.settled(this, delivery);
    this.#waiting = [];
    this.#underWay.clear();
    this.#bytes = 0;
    this.#windowBytes = 0;
  }

  #pump(): void {
    const link = this.#link;
    if (link === undefined) return;
    while (this.#underWay.size < WINDOW_MESSAGES && this.#windowBytes < WINDOW_BYTES) {
      const delivery = this.#waiting.shift();
      if (delivery === undefined) return;
      delivery.messageId = this.#nextId();
      this.#underWay.set(delivery.messageId, delivery);
      this.#windowBytes += delivery.message.sizeBytes;
      this.#write(link, delivery, false);
    }
  }

  #write(link: SessionLink, { message, qos, retain, messageId, released }: Delivery, dup: boolean): void {
    if (released) link.write(Buffer.from([0x62, 2, messageId >> 8, messageId & 0xff]));
    else link.write(encodePublish({ ...message, qos, retain, dup, messageId }));
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId % 65_535) + 1;
    while (this.#underWay.has(this.#lastId));
    return this.#lastId;
  }

  #oldest(): Delivery | undefined {
    if (this.#link !== undefined) return this.#waiting[0];
    const [first] = this.#underWay.values();
    return first ?? this.#waiting[0];
  }

  /** What is on its way to a client that is here is not taken back. */
  #dropOldest(): boolean {
    const oldest = this.#oldest();
    if (oldest === undefined) return false;
    if (oldest === this.#waiting[0]) this.#waiting.shift();
    else this.#underWay.delete(oldest.messageId);
    this.#bytes -= oldest.message.sizeBytes;
    this.#events.dropped(this, oldest);
    this.#events.settled(this, oldest);
    return true;
  }
}
