import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Timer } from '@hawser/seams';
import type { Link, LinkEndpoint } from './link.ts';
import type { Address } from './tcp-connection.ts';
import { UdpMapping } from './udp-mapping.ts';

/** Settings of {@link startUdpProxy}. */
export interface UdpProxyOptions {
  /** The line that the datagrams go over. */
  readonly link: Link;
  /** Where datagrams go on to; the host as an IP address. */
  readonly target: Address;
  /** Where to listen, an IP address. Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** A client's mapping is forgotten after so long without a datagram in either direction. Default 60000. */
  readonly mappingIdleMs?: number;
  /** Most mappings at a time; datagrams of further clients are dropped. Default 4096. */
  readonly maxMappings?: number;
}

/** Counters of a proxy since its start. What the link dropped is counted there. */
export interface UdpProxyStats {
  readonly mappings: number;
  readonly mappingsHighWater: number;
  /** Mappings forgotten because nothing passed. */
  readonly expired: number;
  /** Datagrams of clients for which there was no room (`maxMappings`). */
  readonly refused: number;
  /** Datagrams that a mapping got from someone else than its target. */
  readonly strangers: number;
  /** Datagrams that arrived and were sent on. */
  readonly delivered: { readonly up: number; readonly down: number };
}

/**
 * Starts a proxy that carries datagrams over a link, with a source port of its own toward the target for each
 * client, as a NAT has. It listens before this resolves.
 * @throws the error of `bind`, such as EADDRINUSE
 */
export async function startUdpProxy(options: UdpProxyOptions): Promise<UdpProxy> {
  const proxy = new UdpProxy(options);
  await proxy.start();
  return proxy;
}

/** A UDP proxy on a {@link Link}; made by {@link startUdpProxy}. */
export class UdpProxy implements LinkEndpoint {
  /** Where the datagrams of new mappings go to; may be changed, as when a service moves. */
  target: Address;
  readonly host: string;
  readonly #options: UdpProxyOptions;
  readonly #link: Link;
  readonly #mappingIdleMs: number;
  readonly #maxMappings: number;
  readonly #front: Socket;
  readonly #mappings = new Map<string, UdpMapping>();
  readonly #delivered = { up: 0, down: 0 };
  #port = 0;
  #sweep: Timer | undefined;
  #stopping: Promise<void> | undefined;
  #mappingsHighWater = 0;
  #expired = 0;
  #refused = 0;
  #strangers = 0;

  constructor(options: UdpProxyOptions) {
    this.target = options.target;
    this.host = options.host ?? '127.0.0.1';
    this.#options = options;
    this.#link = options.link;
    this.#mappingIdleMs = options.mappingIdleMs ?? 60_000;
    this.#maxMappings = options.maxMappings ?? 4096;
    this.#front = createUdpSocket(this.host);
  }

  /** The port that clients send to. */
  get port(): number {
    return this.#port;
  }

  get stats(): UdpProxyStats {
    return {
      mappings: this.#mappings.size,
      mappingsHighWater: this.#mappingsHighWater,
      expired: this.#expired,
      refused: this.#refused,
      strangers: this.#strangers,
      delivered: { ...this.#delivered },
    };
  }

  /** Listens and plugs into the link. */
  async start(): Promise<void> {
    this.#front.on('message', (data, from) => this.#fromClient(data, from));
    this.#front.bind({ address: this.host, port: this.#options.port ?? 0 });
    await once(this.#front, 'listening');
    this.#front.on('error', () => {}); // a datagram that could not be sent is a lost one
    this.#port = this.#front.address().port;
    await this.#link.attach(this);
  }

  /**
   * Gives every mapping another source port toward its target, as a NAT does that was restarted; answers to the
   * old ports are lost. Resolves when the new ports are bound.
   */
  async rebind(): Promise<void> {
    await Promise.all([...this.#mappings.values()].map((mapping) => mapping.rebind()));
  }

  /** Datagrams know no connections; a cut or black link drops them by itself. */
  breakConnections(): void {}

  /** Datagrams are never refused. */
  setAccepting(): Promise<void> {
    return Promise.resolve();
  }

  /** Closes everything. May be called more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#link.detach(this);
    this.#sweep?.cancel();
    const closed = once(this.#front, 'close');
    this.#front.close();
    await Promise.all([closed, ...[...this.#mappings.values()].map((mapping) => mapping.close())]);
    this.#mappings.clear();
  }

  #fromClient(data: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`;
    let mapping = this.#mappings.get(key);
    if (mapping === undefined) {
      if (this.#mappings.size >= this.#maxMappings) {
        this.#refused += 1;
        return;
      }
      mapping = this.#openMapping(from);
      this.#mappings.set(key, mapping);
      this.#mappingsHighWater = Math.max(this.#mappingsHighWater, this.#mappings.size);
      this.#scheduleSweep();
    }
    mapping.sendUp(data);
  }

  #openMapping(client: RemoteInfo): UdpMapping {
    return new UdpMapping({
      link: this.#link,
      target: this.target,
      createSocket: () => createUdpSocket(this.target.host),
      onUp: () => (this.#delivered.up += 1),
      onDown: (data) => {
        this.#delivered.down += 1;
        if (this.#stopping === undefined) this.#front.send(data, client.port, client.address);
      },
      onStranger: () => (this.#strangers += 1),
    });
  }

  /** Looks for idle mappings twice per idle time, while there are any. */
  #scheduleSweep(): void {
    this.#sweep ??= this.#link.clock.setTimer(this.#mappingIdleMs / 2, () => {
      this.#sweep = undefined;
      const beforeMs = this.#link.clock.monotonicMs() - this.#mappingIdleMs;
      for (const [key, mapping] of this.#mappings) {
        if (mapping.usedMs > beforeMs) continue;
        this.#mappings.delete(key);
        this.#expired += 1;
        void mapping.close();
      }
      if (this.#mappings.size > 0 && this.#stopping === undefined) this.#scheduleSweep();
    });
  }
}

function createUdpSocket(host: string): Socket {
  // A burst may come faster than this process reads; the kernel cuts the size to its own limit (rmem_max).
  return createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: 4 * 1024 * 1024 });
}
