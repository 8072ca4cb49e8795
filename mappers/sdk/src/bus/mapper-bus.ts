/** How a message is sent. */
export interface SendOptions {
  /** Kept by the broker for those who subscribe later. Default false. */
  readonly retain?: boolean;
  /** Default 1. */
  readonly qos?: 0 | 1;
}

/** Who is told of what happens on the bus. Handlers must not throw. */
export interface BusListener {
  /** Connected, and all filters are subscribed: everything retained comes again. */
  onUp(): void;
  onDown(reason: Error): void;
  onMessage(topic: string, payload: Uint8Array): void;
}

/**
 * The event bus as a mapper needs it: {@link MqttBus}, and `TestBus` of `@hawser/mapper-sdk/testing`. It keeps nothing over
 * a lost connection: whoever has something to say says it again at {@link BusListener.onUp}.
 */
export interface MapperBus {
  readonly connected: boolean;
  /** Begins to connect, and goes on until {@link stop}. Calling it twice does nothing. */
  start(filters: readonly string[], listener: BusListener): void;
  /**
   * Resolves when the broker has acknowledged it.
   * @throws MapperError `ERR_MAPPER_BUS_AWAY`
   */
  publish(topic: string, payload: string, options?: SendOptions): Promise<void>;
  /** Ends the connection, after what is under way, but not later than in 2 s. Idempotent. */
  stop(): Promise<void>;
}
