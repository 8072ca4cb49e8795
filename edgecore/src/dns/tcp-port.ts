import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Clock } from '@hawser/seams';
import type { DnsCounts } from './dns-counts.ts';
import { MAX_QUERY_BYTES } from './query.ts';

/** Answers a message of a client, an address; undefined: it is not to be answered. Never rejects. */
export type Respond = (message: Buffer, way: 'udp' | 'tcp', client: string) => Promise<Buffer | undefined>;

/** Settings of {@link TcpPort}. */
export interface TcpPortOptions {
  readonly respond: Respond;
  readonly counts: DnsCounts;
  readonly clock: Clock;
}

const MAX_CONNECTIONS = 128;
/** Of one address, so that one pod leaves room for the others. */
const MAX_OF_ONE = 16;
/** Without a whole query for so long, a connection ends. Source: RFC 7766 §6.2.3, a few seconds. */
const IDLE_MS = 10_000;
/** Queries of a connection that are answered at a time; more wait in its socket. */
const MAX_AT_A_TIME = 16;

/** DNS over TCP: queries and answers with their length before them, answers in any order. Source: RFC 7766. */
export class TcpPort {
  readonly #options: TcpPortOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();

  constructor(options: TcpPortOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (socket) => this.#admit(socket));
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** @returns the port that it listens on @throws what the system says */
  async open(address: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: address, port, exclusive: true }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', () => {}); // of accepting: the client sees it, and comes again
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port; // it listens on IP
  }

  /** Idempotent. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const ofOne = this.#perAddress.get(address) ?? 0;
    if (this.#sockets.size >= MAX_CONNECTIONS || ofOne >= MAX_OF_ONE) {
      this.#options.counts.add('dropped', 'connections');
      socket.on('error', () => {}); // it has gone already
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#perAddress.set(address, ofOne + 1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
    new TcpClient(socket, this.#options).serve();
  }
}

/** One connection. */
class TcpClient {
  readonly #socket: Socket;
  readonly #options: TcpPortOptions;
  #received: Buffer = Buffer.alloc(0);
  #underWay = 0;
  #lastMs = 0;

  constructor(socket: Socket, options: TcpPortOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  serve(): void {
    const socket = this.#socket;
    const { clock, counts } = this.#options;
    this.#lastMs = clock.monotonicMs();
    const look = (): void => {
      const idleMs = clock.monotonicMs() - this.#lastMs;
      // Bytes alone do not count, nor answers that nobody reads: only whole queries do.
      if (idleMs >= IDLE_MS) {
        if (this.#received.length > 0 || socket.writableLength > 0) counts.add('dropped', 'slow');
        socket.destroy();
      } else {
        timer = clock.setTimer(IDLE_MS - idleMs, look, { background: true });
      }
    };
    let timer = clock.setTimer(IDLE_MS, look, { background: true });
    socket.on('error', () => {}); // 'close' follows
    socket.once('close', () => timer.cancel());
    socket.on('drain', () => this.#readOn());
    socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#take();
    });
  }

  /** Takes whole queries out of what was received. */
  #take(): void {
    const { clock, counts, respond } = this.#options;
    while (this.#received.length >= 2 && this.#mayGoOn()) {
      const length = this.#received.readUInt16BE(0);
      if (length > MAX_QUERY_BYTES) {
        counts.add('dropped', 'no-query');
        this.#socket.destroy();
        return;
      }
      if (this.#received.length < 2 + length) break;
      const message = this.#received.subarray(2, 2 + length);
      this.#received = this.#received.subarray(2 + length);
      this.#lastMs = clock.monotonicMs();
      this.#underWay += 1;
      void respond(message, 'tcp', this.#socket.remoteAddress ?? '').then((reply) => this.#answer(reply));
    }
    if (!this.#mayGoOn()) this.#socket.pause();
  }

  #answer(reply: Buffer | undefined): void {
    this.#underWay -= 1;
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (reply === undefined) {
      // What is no query is not how a client goes on.
      socket.destroy();
      return;
    }
    const length = Buffer.of(reply.length >> 8, reply.length & 0xff);
    socket.write(Buffer.concat([length, reply]));
    this.#readOn();
  }

  #mayGoOn(): boolean {
    return this.#underWay < MAX_AT_A_TIME && !this.#socket.writableNeedDrain;
  }

  #readOn(): void {
    if (this.#socket.destroyed || !this.#mayGoOn()) return;
    this.#socket.resume();
    this.#take();
  }
}
