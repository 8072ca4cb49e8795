import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Link } from './link.ts';
import type { Address } from './tcp-connection.ts';
import type { Lane } from './wire.ts';

/** Settings of {@link UdpMapping}. */
export interface UdpMappingOptions {
  readonly link: Link;
  readonly target: Address;
  readonly createSocket: () => Socket;
  /** A datagram was sent on to the target. */
  readonly onUp: () => void;
  /** A datagram of the target has arrived for the client. */
  readonly onDown: (data: Buffer) => void;
  /** Someone else than the target sent something; it was dropped. */
  readonly onStranger: () => void;
}

/** What a NAT keeps for one client: a port of its own toward the target. */
export class UdpMapping {
  readonly #options: UdpMappingOptions;
  readonly #upLane: Lane;
  readonly #downLane: Lane;
  #socket: Socket;
  #usedMs: number;

  constructor(options: UdpMappingOptions) {
    this.#options = options;
    this.#upLane = options.link.up.openLane();
    this.#downLane = options.link.down.openLane();
    this.#usedMs = options.link.clock.monotonicMs();
    this.#socket = this.#open();
  }

  /** When a datagram was last seen, in either direction, on the link's monotonic clock. */
  get usedMs(): number {
    return this.#usedMs;
  }

  /** Sends a datagram of the client over the link to the target. */
  sendUp(data: Buffer): void {
    const { link, target, onUp } = this.#options;
    this.#usedMs = link.clock.monotonicMs();
    link.up.sendDatagram(this.#upLane, data.length, () => {
      onUp();
      this.#socket.send(data, target.port, target.host);
    });
  }

  /** Takes another port; the old one is closed when the new one is bound. */
  async rebind(): Promise<void> {
    const old = this.#socket;
    this.#socket = this.#open();
    await Promise.race([once(this.#socket, 'listening'), once(this.#socket, 'close')]);
    await closeSocket(old);
  }

  /** Closes it; what is on the way does not arrive. */
  async close(): Promise<void> {
    this.#options.link.up.closeLane(this.#upLane);
    this.#options.link.down.closeLane(this.#downLane);
    await closeSocket(this.#socket);
  }

  #open(): Socket {
    const socket = this.#options.createSocket();
    socket.on('message', (data, from) => {
      if (socket === this.#socket) this.#fromTarget(data, from); // an old port's datagrams are lost
    });
    socket.on('error', () => {}); // a datagram that could not be sent is a lost one
    socket.bind({ port: 0 });
    return socket;
  }

  #fromTarget(data: Buffer, from: RemoteInfo): void {
    const { link, target, onDown, onStranger } = this.#options;
    if (from.port !== target.port || from.address !== target.host) {
      onStranger();
      return;
    }
    this.#usedMs = link.clock.monotonicMs();
    link.down.sendDatagram(this.#downLane, data.length, () => onDown(data));
  }
}

async function closeSocket(socket: Socket): Promise<void> {
  const closed = once(socket, 'close');
  socket.close();
  await closed;
}
