import {
  PropertyError,
  type Connection,
  type Driver,
  type DriverValue,
  type Visit,
  type VisitResult,
} from '@hawser/mapper-sdk';
import { LineSocket } from './line-socket.ts';
import { SCHEMAS, type MyProtocolConfig, type MyProtocolVisitor } from './schemas.ts';

/**
 * Devices that are asked over TCP, a line each: `GET name` is answered by `OK value`, `SET name value` by `OK`, and what
 * cannot be done by `ERR reason`. Replace this by what your devices speak.
 */
export const driver: Driver<MyProtocolConfig, MyProtocolVisitor> = {
  protocol: 'my-protocol',
  version: '0.1.0',
  schemas: SCHEMAS,
  // Devices with the same text share a connection, which does one thing at a time.
  connectionOf: ({ host, port }) => `${host}:${port}`,
  timeoutMs: ({ timeoutMs }) => timeoutMs,
  open: async ({ host, port }, _context, signal) =>
    new MyProtocolConnection(await LineSocket.open(host, port, signal)),
};

class MyProtocolConnection implements Connection<MyProtocolConfig, MyProtocolVisitor> {
  readonly #socket: LineSocket;

  constructor(socket: LineSocket) {
    this.#socket = socket;
  }

  async read(
    _device: unknown,
    visits: readonly Visit<MyProtocolVisitor>[],
    signal: AbortSignal,
  ): Promise<readonly VisitResult[]> {
    const results: VisitResult[] = [];
    for (const visit of visits) {
      try {
        const text = await this.#ask(`GET ${visit.visitor.name}`, signal);
        results.push({ value: valueOf(visit.type, text) });
      } catch (error) {
        // The device answers, but not this: the other properties are read all the same.
        if (!(error instanceof PropertyError)) throw error;
        results.push({ error });
      }
    }
    return results;
  }

  async write(
    _device: unknown,
    { visitor }: Visit<MyProtocolVisitor>,
    value: DriverValue,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#ask(`SET ${visitor.name} ${String(value)}`, signal);
  }

  onLost(listener: (reason: Error) => void): void {
    this.#socket.onLost = listener;
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  /** @throws PropertyError the device answers `ERR` */
  async #ask(line: string, signal: AbortSignal): Promise<string> {
    const answer = await this.#socket.ask(line, signal);
    const [word, ...rest] = answer.split(' ');
    if (word !== 'OK') throw new PropertyError(rest.join(' ') || `unexpected answer: ${answer}`);
    return rest.join(' ');
  }
}

/** Numbers as numbers, switches as booleans; the SDK makes text of them. */
function valueOf(type: Visit['type'], text: string): DriverValue {
  switch (type) {
    case 'INT':
    case 'FLOAT':
    case 'DOUBLE':
      return Number(text);
    case 'BOOLEAN':
      return text === 'true';
    case 'BYTES':
      return Buffer.from(text, 'hex');
    case 'STRING':
    case 'STREAM':
      return text;
  }
}
