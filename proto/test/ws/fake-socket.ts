import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type WebSocket from 'ws';
import { tunnelLimits, type TunnelLimits } from '../../src/index.ts';
import { MuxConnection } from '../../src/transport/mux/mux-connection.ts';
import { decodeMuxFrames, type MuxFrame } from '../../src/transport/mux/mux-frame.ts';
import { WsCarrier } from '../../src/transport/ws/ws-carrier.ts';
import { EDGE_1 } from '../session/scripted-connection.ts';

/** A WebSocket without a network: what it is told to send stays here until the test says that it left. */
export class FakeSocket extends EventEmitter {
  static readonly #OPEN = 1;
  static readonly #CLOSED = 3;
  /** What the WebSocket runs over. */
  readonly below = Object.assign(new EventEmitter(), {
    cork: () => (this.corked += 1),
    uncork: () => (this.corked -= 1),
  });
  corked = 0;
  readonly sent: Buffer[] = [];
  readonly pongs: string[] = [];
  pings = 0;
  closedWith: number | undefined;
  /** Whether the WebSocket's close was to leave together with what was sent just before. */
  closedCorked = false;
  terminated = false;
  readyState = FakeSocket.#OPEN;
  /** Whether what is sent leaves at once. */
  flows = true;
  readonly #waiting: (() => void)[] = [];

  send(message: Buffer, done: (error?: Error) => void): void {
    this.sent.push(message);
    this.#leave(done);
  }

  ping(): void {
    this.pings += 1;
  }

  pong(data: Buffer, _mask: boolean | undefined, done: (error?: Error | null) => void): void {
    this.pongs.push(data.toString());
    this.#leave(() => done(null));
  }

  close(code: number): void {
    this.closedWith ??= code;
    this.closedCorked = this.corked > 0;
    this.#end();
  }

  terminate(): void {
    this.terminated = true;
    this.#end();
  }

  /** The network takes what waited. */
  flow(): void {
    for (const done of this.#waiting.splice(0)) done();
  }

  /** Frames sent so far. */
  frames(): readonly MuxFrame[] {
    return this.sent.flatMap((message) => [...decodeMuxFrames(message)]);
  }

  #leave(done: () => void): void {
    if (this.flows) queueMicrotask(done);
    else this.#waiting.push(done);
  }

  #end(): void {
    if (this.readyState === FakeSocket.#CLOSED) return;
    this.readyState = FakeSocket.#CLOSED;
    queueMicrotask(() => this.emit('close', 1006));
  }
}

/** The hub's end of a connection on a {@link FakeSocket}; the test plays the edge. */
export function hubEnd(limits: Partial<TunnelLimits> = {}): {
  socket: FakeSocket;
  connection: MuxConnection;
} {
  const socket = new FakeSocket();
  const connection = new MuxConnection({
    // Both are what WsCarrier uses of them.
    carrier: new WsCarrier(socket as unknown as WebSocket, socket.below as unknown as Duplex),
    dialer: false,
    peer: EDGE_1,
    remoteAddress: '192.0.2.1:4711',
    limits: tunnelLimits(limits),
  });
  connection.start();
  return { socket, connection };
}

/** Lets everything that is resolved run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
