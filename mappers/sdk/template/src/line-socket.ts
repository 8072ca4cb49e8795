import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { ConnectionLost } from '@hawser/mapper-sdk';

/** A TCP connection on which each line that is sent is answered by a line. */
export class LineSocket {
  readonly #socket: Socket;
  #lost: Error | undefined;
  #waiting: { resolve(line: string): void; reject(reason: Error): void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface({ input: socket }).on('line', (line) => this.#waiting?.resolve(line));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the device has closed the connection')));
  }

  /** Called when the connection ends by itself. */
  onLost: (reason: Error) => void = () => {};

  /** @throws Error nobody is there; `signal.reason` */
  static async open(host: string, port: number, signal: AbortSignal): Promise<LineSocket> {
    const socket = connect({ host, port, noDelay: true });
    try {
      await once(socket, 'connect', { signal });
      return new LineSocket(socket);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** @throws ConnectionLost; `signal.reason`, and then the connection is of no use: an answer may still come */
  async ask(line: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lost;
    const onAbort = (): void => this.#end(new Error('a question was given up', { cause: signal.reason }));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#socket.write(`${line}\n`);
      });
    } finally {
      this.#waiting = undefined;
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    if (!this.#socket.closed) {
      const closed = once(this.#socket, 'close');
      this.#end(new Error('the connection is closed'));
      await closed;
    }
  }

  #end(reason: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = new ConnectionLost(reason.message, { cause: reason });
    this.#waiting?.reject(this.#lost);
    this.#socket.destroy();
    this.onLost(this.#lost);
  }
}
