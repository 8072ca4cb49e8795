import { deferred, type Clock } from '@hawser/seams';
import type { CloseReason, Connection, PeerIdentity, Stream } from '../../src/index.ts';
import { ConnectionStats } from '../../src/transport/connection-stats.ts';

/** The identity of edge-1. */
export const EDGE_1: PeerIdentity = {
  role: 'edge',
  commonName: 'system:node:edge-1',
  organization: 'system:nodes',
  nodeName: 'edge-1',
  serialNumber: '01',
  fingerprint: 'ab',
  notAfterMs: Date.UTC(2030, 0, 1),
};

/** A {@link Connection} without a network, played by a test. */
export class ScriptedConnection implements Connection {
  readonly transport = 'scripted';
  readonly peer: PeerIdentity;
  readonly remoteAddress = '192.0.2.1:4711';
  readonly stats: ConnectionStats;
  readonly closed: Promise<CloseReason>;
  /** What {@link acceptStream} gives, in order; then undefined. */
  readonly arriving: Stream[] = [];
  /** Pings that wait for an answer. */
  readonly pings: ((roundTripMs: number) => void)[] = [];
  ended: CloseReason | undefined;
  readonly #clock: Clock;
  readonly #closed = deferred<CloseReason>();

  constructor(clock: Clock, peer: PeerIdentity = EDGE_1) {
    this.#clock = clock;
    this.peer = peer;
    this.stats = new ConnectionStats(clock.monotonicMs());
    this.closed = this.#closed.promise;
  }

  /** The peer says something. */
  hear(): void {
    this.stats.lastReceivedMs = this.#clock.monotonicMs();
  }

  /** This side says something. */
  say(): void {
    this.stats.lastSentMs = this.#clock.monotonicMs();
  }

  openStream(): Promise<Stream> {
    return Promise.reject(new Error('this connection opens no streams'));
  }

  acceptStream(): Promise<Stream | undefined> {
    return Promise.resolve(this.arriving.shift());
  }

  ping(): Promise<number> {
    this.say();
    return new Promise((resolve) => this.pings.push(resolve));
  }

  close(reason: CloseReason): Promise<void> {
    this.destroy(reason);
    return Promise.resolve();
  }

  destroy(reason: CloseReason): void {
    this.ended ??= reason;
    this.#closed.resolve(this.ended);
  }
}
