import { connect, type Socket } from 'node:net';
import { ConnectionLost, type DriverContext } from '@hawser/mapper-sdk';
import { ModbusClient } from './client.ts';
import type { Link } from './link.ts';
import { TcpWire } from './tcp-wire.ts';

export interface TcpLinkOptions {
  readonly host: string;
  readonly port: number;
  /** How long a connection may take to be made, milliseconds. */
  readonly connectMs: number;
}

/** So many requests in a row without an answer: the connection may be half open, and another one is made. */
const SUSPECT_AFTER = 3;
const KEEP_ALIVE_MS = 15_000;

/**
 * A TCP connection that is made again when the next request needs it: devices may close it after each answer, or when
 * nothing was asked for a while, and are there all the same.
 */
export class TcpLink implements Link {
  readonly #options: TcpLinkOptions;
  readonly #context: DriverContext;
  readonly #closing = new AbortController();
  #client: ModbusClient | undefined;
  #unanswered = 0;

  constructor(options: TcpLinkOptions, context: DriverContext) {
    this.#options = options;
    this.#context = context;
  }

  async client(signal: AbortSignal): Promise<ModbusClient> {
    if (this.#client?.wire.isOpen === true) return this.#client;
    this.#client = undefined;
    const socket = await this.#dial(signal);
    this.#unanswered = 0;
    this.#client = new ModbusClient(new TcpWire(socket).attach(), this.#context.clock);
    return this.#client;
  }

  unanswered(): void {
    this.#unanswered += 1;
    if (this.#unanswered < SUSPECT_AFTER) return;
    this.#context.log.debug(this.#where(), 'nothing is answered any more: connecting again');
    this.#client?.wire.destroy();
  }

  answered(): void {
    this.#unanswered = 0;
  }

  onLost(): void {
    // The next request finds out, and is the one that it matters to.
  }

  close(): Promise<void> {
    this.#closing.abort(new ConnectionLost('the connection was closed'));
    this.#client?.wire.destroy();
    return Promise.resolve();
  }

  #dial(signal: AbortSignal): Promise<Socket> {
    const { host, port, connectMs } = this.#options;
    return new Promise((resolve, reject) => {
      const aborting = [signal, this.#closing.signal];
      for (const one of aborting) one.throwIfAborted();
      const socket = connect({
        host,
        port,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_MS,
      });
      const settle = (): void => {
        timer.cancel();
        for (const one of aborting) one.removeEventListener('abort', onAbort);
        socket.off('connect', onConnect);
        socket.off('error', onError);
      };
      const fail = (reason: Error): void => {
        settle();
        socket.on('error', () => undefined); // one more may come, of a connection that nobody waits for
        socket.destroy();
        reject(reason);
      };
      const onAbort = (): void => fail(aborting.find((one) => one.aborted)?.reason as Error);
      const onError = (error: Error): void =>
        fail(new ConnectionLost(`${host}:${port} cannot be reached: ${error.message}`, { cause: error }));
      const onConnect = (): void => {
        settle();
        resolve(socket);
      };
      const timer = this.#context.clock.setTimer(connectMs, () =>
        fail(new ConnectionLost(`${host}:${port} did not take the connection in ${connectMs} ms`)),
      );
      for (const one of aborting) one.addEventListener('abort', onAbort, { once: true });
      socket.on('connect', onConnect);
      socket.on('error', onError);
    });
  }

  #where(): { address: string } {
    return { address: `${this.#options.host}:${this.#options.port}` };
  }
}
