import type { Delivery, Session, StoredMessage } from '../session.ts';

/** A message that is kept for those who subscribe later. */
export interface RetainedMessage {
  readonly message: StoredMessage;
  /** Name and protocols of who published it; `$bridge`: another broker; undefined: the edge core itself. */
  readonly from: { readonly name: string; readonly protocols: readonly string[] } | undefined;
}

/** What is published when a client goes without a word. */
export interface StoredWill {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/**
 * Where lasting sessions and retained messages of others are made durable. Nothing here rejects: a disk that refuses is
 * counted and said, and what was to be written is in memory until it can be.
 */
export interface Journal {
  /** A lasting session, its account and its subscriptions: resolves when they are on the disk. */
  session(session: Session): Promise<void>;
  /** Forgets a session with everything in it. */
  gone(id: string): Promise<void>;
  /**
   * A message that lasting sessions have to get.
   * @param incoming the session and identifier by which it came as QoS 2: durable in the same write
   * @returns resolves when it is on the disk, or no session needs it any more
   */
  message(
    message: StoredMessage,
    deliveries: readonly (readonly [Session, Delivery])[],
    incoming?: readonly [Session, number],
  ): Promise<void>;
  /** A session does not need a message any more: written with the next thing that is. */
  settled(session: Session, delivery: Delivery): void;
  /** QoS 2: the client has received it. Resolves when that is on the disk. */
  released(session: Session, delivery: Delivery): Promise<void>;
  /** QoS 2: a message that the client had published was released. */
  incomingDone(session: Session, messageId: number): Promise<void>;
  retained(topic: string, entry: RetainedMessage | undefined): Promise<void>;
  /** The will of a lasting session. */
  will(id: string, will: StoredWill | undefined): Promise<void>;
}
