import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '@hawser/seams';

/** What a {@link LocalPort} needs. */
export interface LocalPortOptions {
  readonly host: string;
  /** Asked with each attempt. 0: any. */
  readonly port: () => number;
  /** Is given each connection before anything of it was read. */
  readonly onConnection: (socket: Socket) => void;
  /** Told when it begins to listen (undefined), and when it cannot, with each reason once. */
  readonly onState: (error: NodeJS.ErrnoException | undefined) => void;
  readonly clock: Clock;
}

/** A port that is in use, or an address that is not there, is tried again after this, milliseconds. */
const AGAIN_MS = 10_000;
/** Connections at one time; more are ended. */
const MAX_CONNECTIONS = 1024;

/** One address on which connections are taken; where that cannot be, it is tried again and again. */
export class LocalPort {
  readonly #options: LocalPortOptions;
  #server: Server | undefined;
  #timer: Timer | undefined;
  #problem: string | undefined;
  #stopped = false;

  constructor(options: LocalPortOptions) {
    this.#options = options;
  }

  /** Where it listens; undefined: it does not. */
  get address(): AddressInfo | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address : undefined;
  }

  /** Why it does not listen; undefined: it does. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Tries once, and then again by itself. Never rejects. */
  async start(): Promise<void> {
    if (this.#stopped || this.#server !== undefined) return;
    const { host, port, onConnection } = this.#options;
    // Without noDelay the second packet of an answer waits for a delayed acknowledgement: 40 ms.
    const server = createServer({ pauseOnConnect: true, noDelay: true }, onConnection);
    server.maxConnections = MAX_CONNECTIONS;
    this.#server = server;
    this.#tried(server, await listen(server, host, port()));
  }

  /** Takes no more connections; those that are there are whose they were given to. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    if (this.#server?.listening === true) this.#server.close();
    this.#server = undefined;
  }

  #tried(server: Server, error: NodeJS.ErrnoException | undefined): void {
    if (this.#stopped) {
      if (error === undefined) server.close();
      return;
    }
    const { onState, clock } = this.#options;
    if (error === undefined) {
      server.on('error', () => {}); // one connection that could not be accepted
      this.#problem = undefined;
      onState(undefined);
      return;
    }
    this.#server = undefined;
    if (error.message !== this.#problem) onState(error);
    this.#problem = error.message;
    this.#timer = clock.setTimer(AGAIN_MS, () => void this.start(), { background: true });
  }
}

function listen(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen({ host, port }, () => {
      server.off('error', resolve);
      resolve(undefined);
    });
  });
}
