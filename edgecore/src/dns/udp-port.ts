import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { DnsCounts } from './dns-counts.ts';
import type { Respond } from './tcp-port.ts';

/** Settings of {@link UdpPort}. */
export interface UdpPortOptions {
  readonly respond: Respond;
  readonly counts: DnsCounts;
}

/** DNS over UDP. */
export class UdpPort {
  readonly #options: UdpPortOptions;
  #socket: Socket | undefined;

  constructor(options: UdpPortOptions) {
    this.#options = options;
  }

  /** @returns the port that it listens on @throws what the system says */
  async open(address: string, port: number): Promise<number> {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ address, port, exclusive: true }, () => {
          socket.off('error', reject);
          resolve();
        });
      });
    } catch (error) {
      socket.on('error', () => {}); // it was not opened
      socket.close();
      throw error;
    }
    socket.on('error', () => this.#options.counts.add('dropped', 'send'));
    socket.on('message', (message, from) => void this.#answer(socket, message, from));
    this.#socket = socket;
    return socket.address().port;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  async #answer(socket: Socket, message: Buffer, from: RemoteInfo): Promise<void> {
    const { respond, counts } = this.#options;
    // Nobody can have sent from there, and nothing can be sent there.
    const reply = from.port === 0 ? undefined : await respond(message, 'udp', from.address);
    if (reply === undefined) {
      counts.add('dropped', 'no-query');
      return;
    }
    if (this.#socket !== socket) return;
    socket.send(reply, from.port, from.address, (error) => {
      if (error !== null) counts.add('dropped', 'send');
    });
  }
}
