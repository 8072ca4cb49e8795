import net, { type Socket } from 'node:net';
import { deferred } from '@hawser/seams';
import { StreamFlow } from './stream-flow.ts';
import type { Wire } from './wire.ts';

/** A host and a port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Settings of {@link TcpConnection}. */
export interface TcpConnectionOptions {
  readonly client: Socket;
  readonly target: Address;
  readonly up: Wire;
  readonly down: Wire;
  readonly windowBytes: number;
}

/**
 * A client's connection and its continuation to the target, with the wires in between. The handshake takes its
 * way over the wires as well: the target is dialled when the SYN has arrived there, nothing is read from the
 * client before the SYN-ACK is back. (That the client's own connect succeeds at once is the kernel's doing.)
 * Ends pass in order behind the data, each direction on its own; a reset of either side reaches the other.
 */
export class TcpConnection {
  readonly #options: TcpConnectionOptions;
  readonly #client: Socket;
  readonly #up: StreamFlow;
  readonly #down: StreamFlow;
  readonly #closed = deferred<undefined>();
  #server: Socket | undefined;
  #open = 0; // sockets not yet closed
  #over = false;

  constructor(options: TcpConnectionOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#up = new StreamFlow(options.up, options);
    this.#down = new StreamFlow(options.down, options);
  }

  /** Resolves when both sockets are closed. */
  get closed(): Promise<undefined> {
    return this.#closed.promise;
  }

  /** Bytes of payload sent so far, each way. */
  get payloadBytes(): { up: number; down: number } {
    return { up: this.#up.payloadBytes, down: this.#down.payloadBytes };
  }

  /** Bytes held between the kernels, both ways together. */
  get heldBytes(): number {
    return this.#up.heldBytes + this.#down.heldBytes;
  }

  /** Sends the SYN. */
  start(): void {
    this.#watch(this.#client, () => {
      // Before the target was dialled there is nothing to break: the connection ends with this socket.
      const server = this.#server;
      if (server !== undefined) this.#up.reset(() => breakOff(server));
    });
    this.#up.sendFlag(() => this.#dial());
  }

  /** Breaks both sides at once: with a RST, or (`close`) with a FIN as far as the kernel allows. */
  destroy(how: 'reset' | 'close'): void {
    this.#over = true;
    this.#up.close();
    this.#down.close();
    for (const socket of [this.#client, this.#server])
      if (how === 'close') socket?.destroy();
      else if (socket !== undefined) breakOff(socket);
  }

  #dial(): void {
    if (this.#client.destroyed) return; // it broke off in this very moment, and nobody would tell the target
    const { target } = this.#options;
    const server = net.connect({ host: target.host, port: target.port, allowHalfOpen: true, noDelay: true });
    this.#server = server;
    this.#watch(server, () => this.#down.reset(() => breakOff(this.#client)));
    server.once('connect', () => this.#down.sendFlag(() => this.#establish(server)));
  }

  /** The SYN-ACK has arrived at the client's side. */
  #establish(server: Socket): void {
    this.#up.sendFlag(() => this.#down.start(server, this.#client)); // the last step of the handshake
    this.#up.start(this.#client, server);
  }

  #watch(socket: Socket, onBroken: () => void): void {
    this.#open += 1;
    socket.on('error', () => {
      // Every error of a socket means for its peer that the connection is gone; 'close' follows.
      if (!this.#over) onBroken();
    });
    socket.once('close', () => {
      this.#open -= 1;
      if (this.#open === 0) this.#finish();
    });
  }

  #finish(): void {
    this.#over = true;
    this.#up.close();
    this.#down.close();
    this.#closed.resolve(undefined);
  }
}

/**
 * Ends a socket with a RST. One that is still being connected is given up; one that is about to send its FIN, with
 * all data accepted by the kernel, is closed, since libuv refuses a reset during a shutdown (and Node would then
 * never report the close).
 */
function breakOff(socket: Socket): void {
  const shuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (socket.connecting || shuttingDown) socket.destroy();
  else socket.resetAndDestroy();
}
