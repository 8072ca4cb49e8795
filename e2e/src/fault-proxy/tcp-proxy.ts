import type { Server, Socket } from 'node:net';
import { E2eError } from '../errors.ts';
import type { Link, LinkEndpoint } from './link.ts';
import { ListeningPort } from './listening-port.ts';
import { TcpConnection, type Address } from './tcp-connection.ts';

/** Settings of {@link startTcpProxy}. */
export interface TcpProxyOptions {
  /** The line that the connections go over. */
  readonly link: Link;
  /** Where connections go on to. */
  readonly target: Address;
  /** Where to listen. Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /**
   * Most bytes of one direction of a connection that are on the way or wait for the receiver, as a TCP receive
   * window. Default 1 MiB: with a long delay it limits the throughput to windowBytes / delay.
   */
  readonly windowBytes?: number;
  /** Most connections at a time; more are closed at once. Default 10000. */
  readonly maxConnections?: number;
}

/** Counters of a proxy since its start. */
export interface TcpProxyStats {
  readonly accepted: number;
  readonly open: number;
  readonly openHighWater: number;
  /** Closed at once because of `maxConnections`, or because accepting failed. */
  readonly refused: number;
  /** Bytes of payload put on the wire. */
  readonly payloadBytes: { readonly up: number; readonly down: number };
}

/**
 * Starts a proxy that carries TCP connections over a link. It listens before this resolves (unless the link is
 * cut; it then has its port, and refuses).
 * @throws the error of `listen`, such as EADDRINUSE
 */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const proxy = new TcpProxy(options);
  await proxy.start();
  return proxy;
}

/** A TCP proxy on a {@link Link}; made by {@link startTcpProxy}. */
export class TcpProxy implements LinkEndpoint {
  /** Where new connections go on to; may be changed, as when a service moves. */
  target: Address;
  readonly #link: Link;
  readonly #windowBytes: number;
  readonly #maxConnections: number;
  readonly #listening: ListeningPort;
  readonly #connections = new Set<TcpConnection>();
  #accepting = true;
  #opening: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #accepted = 0;
  #refused = 0;
  #openHighWater = 0;
  #closedBytes = { up: 0, down: 0 };

  constructor(options: TcpProxyOptions) {
    this.target = options.target;
    this.#link = options.link;
    this.#windowBytes = options.windowBytes ?? 1024 * 1024;
    this.#maxConnections = options.maxConnections ?? 10_000;
    this.#listening = new ListeningPort({
      host: options.host ?? '127.0.0.1',
      port: options.port ?? 0,
      onServer: (server) => this.#serve(server),
    });
  }

  get host(): string {
    return this.#listening.host;
  }

  /** The port that clients connect to; it stays the same while the link is cut. */
  get port(): number {
    return this.#listening.port;
  }

  get stats(): TcpProxyStats {
    const payloadBytes = { ...this.#closedBytes };
    for (const connection of this.#connections) add(payloadBytes, connection.payloadBytes);
    return {
      accepted: this.#accepted,
      open: this.#connections.size,
      openHighWater: this.#openHighWater,
      refused: this.#refused,
      payloadBytes,
    };
  }

  /** Bytes that the proxy holds now for all connections: read from one kernel and not accepted by the other. */
  get heldBytes(): number {
    let sum = 0;
    for (const connection of this.#connections) sum += connection.heldBytes;
    return sum;
  }

  /** Listens and plugs into the link. */
  async start(): Promise<void> {
    await this.#listening.open();
    await this.#link.attach(this);
  }

  /** Breaks all connections of this proxy with a RST; new ones are not affected. */
  reset(): void {
    this.breakConnections('reset');
  }

  breakConnections(how: 'reset' | 'close'): void {
    for (const connection of this.#connections) connection.destroy(how);
  }

  async setAccepting(accepting: boolean): Promise<void> {
    if (this.#stopping !== undefined)
      throw new E2eError('ERR_E2E_STOPPED', `the proxy on port ${this.port} was stopped`);
    this.#accepting = accepting;
    if (!accepting) this.#listening.close();
    else this.#opening ??= this.#open();
    await this.#opening;
  }

  /** Closes everything. May be called more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#link.detach(this);
    this.#accepting = false;
    await this.#opening;
    this.#listening.abandon();
    this.breakConnections('reset');
    await Promise.all([...this.#connections].map((connection) => connection.closed));
  }

  async #open(): Promise<void> {
    try {
      await this.#listening.open();
    } finally {
      this.#opening = undefined;
    }
    if (!this.#accepting) this.#listening.close(); // the link was cut meanwhile
  }

  #serve(server: Server): void {
    server.maxConnections = this.#maxConnections;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('drop', () => (this.#refused += 1));
    server.on('error', () => (this.#refused += 1)); // accept() failed, such as EMFILE; it goes on listening
  }

  #accept(client: Socket): void {
    const { up, down } = this.#link;
    const { target } = this;
    const connection = new TcpConnection({ client, target, up, down, windowBytes: this.#windowBytes });
    this.#connections.add(connection);
    this.#accepted += 1;
    this.#openHighWater = Math.max(this.#openHighWater, this.#connections.size);
    void connection.closed.then(() => {
      this.#connections.delete(connection);
      add(this.#closedBytes, connection.payloadBytes);
    });
    connection.start();
  }
}

function add(sum: { up: number; down: number }, more: { up: number; down: number }): void {
  sum.up += more.up;
  sum.down += more.down;
}
