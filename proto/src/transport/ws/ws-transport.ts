import type {
  Connection,
  HubAddress,
  Listener,
  ListenOptions,
  Transport,
  TransportOptions,
} from '../transport.ts';
import { dialWebSocket } from './ws-dial.ts';
import { WsListener } from './ws-listener.ts';

/** Streams multiplexed over a WebSocket, mutual TLS 1.3. Gets through whatever lets HTTPS through. */
export class WsTransport implements Transport {
  readonly name = 'ws';
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  dial(hub: HubAddress, options: { signal?: AbortSignal } = {}): Promise<Connection> {
    return dialWebSocket(hub, this.#options, options.signal);
  }

  async listen(options: ListenOptions): Promise<Listener> {
    const listener = new WsListener(this.#options, options);
    await listener.start();
    return listener;
  }

  /** Nothing is held across dials. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
