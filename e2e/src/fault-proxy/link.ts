import { seededRandom, systemClock, type Clock } from '@hawser/seams';
import { wireSettings, type WireOptions } from './wire-options.ts';
import type { WireStats } from './wire-stats.ts';
import { Wire } from './wire.ts';

/** What holds for both directions, and what differs: `{ delayMs: 25, down: { bitsPerSecond: 10e6 } }`. */
export interface LinkChange extends WireOptions {
  /** From the client (the edge) to the target (the cloud). */
  up?: WireOptions;
  /** From the target to the client. */
  down?: WireOptions;
}

/** Settings of {@link Link}. */
export interface LinkOptions extends LinkChange {
  /** Seed of everything that happens by chance. Default 1. */
  seed?: number;
  /** Default: the system's clock. */
  clock?: Clock;
}

/** One of the two ways through a link, or both. */
export type Direction = 'up' | 'down' | 'both';

/** How a cut link treats established connections. */
export interface CutOptions {
  /** `reset`: a RST to both sides; `close`: a FIN. Default `reset`. */
  how?: 'reset' | 'close';
}

/** `up` and everything passes; `cut`; or a black hole in one or both directions. */
export type LinkState = 'healed' | 'cut' | 'black-hole';

/** What a proxy does for the link that it is plugged into. */
export interface LinkEndpoint {
  /** Breaks all established connections, if it has any. */
  breakConnections(how: 'reset' | 'close'): void;
  /** Accepts new connections, or refuses them. Resolves when that is so. */
  setAccepting(accepting: boolean): Promise<void>;
}

/**
 * The line between an edge and the cloud: a {@link Wire} each way, shared by all proxies that are plugged in, of
 * both protocols. What it does to connections that exist takes effect before a call returns; the promise settles
 * when the listening sockets have followed.
 *
 *     const link = new Link({ bitsPerSecond: 10e6, delayMs: 25 });
 *     const proxy = await startTcpProxy({ link, target: { host: '127.0.0.1', port: hub.port } });
 *     connectTo(proxy.port); await link.cut(); await link.heal();
 *
 * What it is not: a model of TCP. A connection's acknowledgements take no bandwidth, nothing of it is lost and
 * sent again, and the kernels' buffers on either side take bytes that no wire has carried yet. For real loss see
 * NetnsPair.
 */
export class Link {
  /** From the client (the edge) to the target (the cloud). */
  readonly up: Wire;
  /** From the target to the client. */
  readonly down: Wire;
  /** The clock of both wires. */
  readonly clock: Clock;
  readonly #endpoints = new Set<LinkEndpoint>();
  #state: LinkState = 'healed';

  /** @throws E2eError ERR_E2E_BAD_OPTION */
  constructor(options: LinkOptions = {}) {
    const { up, down, seed = 1, clock = systemClock, ...both } = options;
    const common = wireSettings(both);
    this.clock = clock;
    this.up = new Wire({ settings: wireSettings(up ?? {}, common), clock, random: seededRandom(seed) });
    this.down = new Wire({
      settings: wireSettings(down ?? {}, common),
      clock,
      random: seededRandom(seed ^ 0x5bd1e995), // the directions' chances are independent
    });
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Copies of both directions' counters. */
  get stats(): { up: WireStats; down: WireStats } {
    return { up: this.up.stats, down: this.down.stats };
  }

  /**
   * Changes settings while running, for both directions or one. A new bandwidth holds at once, also for what is
   * queued; a new delay for what is sent from now on.
   * @throws E2eError ERR_E2E_BAD_OPTION; nothing is changed then
   */
  configure(change: LinkChange): void {
    const { up, down, ...both } = change;
    const upChange = { ...both, ...up };
    const downChange = { ...both, ...down };
    wireSettings(upChange, this.up.settings);
    wireSettings(downChange, this.down.settings);
    this.up.configure(upChange);
    this.down.configure(downChange);
  }

  /**
   * Cuts it: established connections end at once on both sides, what was on the way is lost, new connections are
   * refused (ECONNREFUSED), datagrams vanish.
   */
  cut(options: CutOptions = {}): Promise<void> {
    this.#state = 'cut';
    for (const endpoint of this.#endpoints) endpoint.breakConnections(options.how ?? 'reset');
    for (const wire of [this.up, this.down]) {
      wire.block();
      wire.clear();
    }
    return this.#setAccepting(false);
  }

  /**
   * Makes it a black hole: nothing passes in the given direction (default both), and nobody is told. Connections
   * stay open, new ones are accepted and get no answer; their bytes wait at the sender (nothing of a connection
   * is lost when it heals). Datagrams are lost. Ends and resets of connections do not pass either.
   */
  blackHole(direction: Direction = 'both'): Promise<void> {
    this.#state = 'black-hole';
    if (direction === 'down') this.up.unblock();
    else this.up.block();
    if (direction === 'up') this.down.unblock();
    else this.down.block();
    return this.#setAccepting(true);
  }

  /** Ends {@link cut} and {@link blackHole}. */
  heal(): Promise<void> {
    this.#state = 'healed';
    this.up.unblock();
    this.down.unblock();
    return this.#setAccepting(true);
  }

  /** Breaks every established connection with a RST; new ones are not affected. */
  reset(): void {
    for (const endpoint of this.#endpoints) endpoint.breakConnections('reset');
  }

  /** Plugs a proxy in. Called by the proxies themselves. */
  async attach(endpoint: LinkEndpoint): Promise<void> {
    this.#endpoints.add(endpoint);
    await endpoint.setAccepting(this.#state !== 'cut');
  }

  /** Pulls a proxy out. */
  detach(endpoint: LinkEndpoint): void {
    this.#endpoints.delete(endpoint);
  }

  async #setAccepting(accepting: boolean): Promise<void> {
    await Promise.all([...this.#endpoints].map((endpoint) => endpoint.setAccepting(accepting)));
  }
}
