/** Who sent a message, as the broker of this node has made sure. */
export interface BusClient {
  /** Name of its credentials: that of a mapper definition. */
  readonly name: string;
  /** Protocols whose devices it speaks for. */
  readonly protocols: ReadonlySet<string>;
}

/** A message that came over the bus. */
export interface BusMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** undefined: the broker is not ours, and who may say what is its business. */
  readonly client: BusClient | undefined;
}

/** How a message is sent. */
export interface BusPublish {
  /** Default 1. */
  readonly qos?: 0 | 1;
  /** Kept by the broker for those who subscribe later. Default false. */
  readonly retain?: boolean;
}

/** What programs at the edge talk to the edge core by: a broker of our own, an external one, or both, bridged. */
export interface EventBus {
  /**
   * Resolves when the broker has it; on an external broker that is away the latest of each retained topic waits, and
   * up to 1,000 others. What finds no place is counted.
   */
  publish(topic: string, payload: Uint8Array | string, options?: BusPublish): Promise<void>;
  /**
   * Calls `handler` with each message that fits, in order; the sender's PUBACK waits until it has resolved. A handler that
   * rejects is logged, and the message is acknowledged.
   * @param filter as MQTT has it, with `+` and `#`
   * @returns ends it
   */
  subscribe(filter: string, handler: (message: BusMessage) => void | Promise<void>): () => void;
  /**
   * Whether anybody hears what is published under a topic, so that what nobody hears need not be made. Not there, or true
   * where it is not known.
   */
  isHeard?(topic: string): boolean;
}
