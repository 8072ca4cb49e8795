import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** A device that is not there, to try the driver with: a boiler with a temperature, and a target that can be set. */
export class PretendDevice {
  readonly values = new Map([
    ['temperature', '20.5'],
    ['target', '45'],
  ]);
  /** Takes what comes, and says nothing. */
  silent = false;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).on('line', (line) => {
      if (!this.silent) socket.write(`${this.#answer(line)}\n`);
    });
  });

  /** @returns the port */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(line: string): string {
    const [word, name = '', value] = line.split(' ');
    if (!this.values.has(name)) return `ERR no ${name} here`;
    if (word === 'GET') return `OK ${this.values.get(name) ?? ''}`;
    if (word !== 'SET' || value === undefined) return 'ERR what?';
    if (name === 'temperature') return 'ERR it cannot be set';
    this.values.set(name, value);
    return 'OK';
  }
}

const port = process.argv[2];
if (import.meta.filename === process.argv[1]) {
  console.log(`listening on 127.0.0.1:${await new PretendDevice().listen(Number(port ?? 0))}`);
}
