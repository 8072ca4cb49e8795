import '../lean-packets.ts';
import { Aedes, type AedesOptions, type Client, type PublishPacket } from 'aedes';

/** Called when a message was published, or could not be. */
export type Published = (error?: Error) => void;

/** Takes what a client has published, or its will. */
export type Publisher = (packet: PublishPacket, client: Client | null, done: Published) => void;

/** In place of aedes' emitter: subscriptions are those of the sessions. */
const NO_EMITTER = {
  on: (_topic: string, _listener: unknown, done?: () => void) => later(done),
  removeListener: (_topic: string, _listener: unknown, done?: () => void) => later(done),
  emit: (_packet: unknown, done?: () => void) => later(done),
  close: (done?: () => void) => later(done),
};

function later(done: (() => void) | undefined): void {
  if (done !== undefined) setImmediate(done);
}

/**
 * aedes with another way for messages to go. Its own one acknowledges QoS 1 before it has stored anything, delivers the
 * same message through two subscriptions as one of the lower QoS, lets what is published during a reconnect overtake what
 * has waited, drops as duplicates what was numbered earlier and stored later, and makes whoever sends to a client wait
 * for that client's socket. What is left of it: the protocol, clients, their lives and their wills.
 */
export class RoutingAedes extends Aedes {
  readonly #publisher: Publisher;

  constructor(options: AedesOptions, publisher: Publisher) {
    super({ ...options, mq: NO_EMITTER });
    this.#publisher = publisher;
  }

  override publish(packet: PublishPacket, client: Client | null | Published, done?: Published): void {
    const published = typeof client === 'function' ? client : (done ?? ignore);
    const from = typeof client === 'function' ? null : client;
    // What aedes says of itself below $SYS: nobody may hear it.
    if (packet.topic.startsWith('$SYS/')) published();
    else this.#publisher(packet, from, published);
  }
}

function ignore(): void {
  // Nobody asked.
}
