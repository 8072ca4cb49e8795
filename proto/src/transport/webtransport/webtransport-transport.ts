import { TunnelError } from '../../errors.ts';
import type {
  Connection,
  HubAddress,
  Listener,
  ListenOptions,
  Transport,
  TransportOptions,
} from '../transport.ts';

/**
 * Experimental: the multiplexer of ws over one stream of a WebTransport session over HTTP/2 (docs/protocol.md,
 * "webtransport"). Everything but this class is loaded when the first connection wants it: HTTP/2 and the library take
 * memory that an edge on another transport keeps.
 */
export class WebTransportTransport implements Transport {
  readonly name = 'webtransport';
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  async dial(hub: HubAddress, options: { signal?: AbortSignal } = {}): Promise<Connection> {
    options.signal?.throwIfAborted();
    this.#refusePeers();
    const { dialWebTransport } = await import('./webtransport-dial.ts');
    return dialWebTransport(hub, this.#options, options.signal);
  }

  async listen(options: ListenOptions): Promise<Listener> {
    this.#refusePeers();
    const { WebTransportListener } = await import('./webtransport-listener.ts');
    const listener = new WebTransportListener(this.#options, options);
    await listener.start();
    return listener;
  }

  /** Nothing is held across dials. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Pools are few nodes on a LAN, where nothing lets only HTTP through. */
  #refusePeers(): void {
    if (this.#options.peers !== true) return;
    throw new TunnelError(
      'ERR_TUNNEL_TRANSPORT_UNAVAILABLE',
      'webtransport does not join nodes to each other: use ws',
    );
  }
}
