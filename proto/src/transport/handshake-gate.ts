import { systemClock, type Clock, type Timer } from '@hawser/seams';
import type { TunnelLimits } from '../limits.ts';

/** Which limit refused a handshake; the label of the metric. */
export type Refusal =
  'handshakes' | 'handshakes-per-address' | 'rate' | 'connections' | 'connections-per-address' | 'closed';

/** One connection's place. Both ends are idempotent; `release` includes `established`. */
export interface Admission {
  /** The handshake is over; the connection goes on counting. */
  established(): void;
  /** The connection is over. */
  release(): void;
}

/** What a connection that can wait is told. */
export interface Turn {
  /** It may begin its handshake: within {@link HandshakeGate.enter} already, or later. */
  readonly begin: () => void;
  /** It has waited as long as it may. Its place goes on counting until it is released. */
  readonly giveUp: () => void;
}

interface AddressCount {
  connections: number;
  handshakes: number;
  waiting: number;
}

interface Waiter {
  readonly count: AddressCount;
  readonly begin: () => void;
  readonly giveUp: () => void;
  readonly patience: Timer;
}

/**
 * Decides, before any expensive work, whether a connection may begin its handshake. One gate serves all listeners
 * of a hub. Memory is bounded by `maxConnections`.
 *
 * What can wait waits in the order of its coming, bounded in number and time: a hub that a thousand edges come back
 * to works without a pause, and refuses none that it can serve in a moment.
 */
export class HandshakeGate {
  readonly #limits: TunnelLimits;
  readonly #clock: Clock;
  readonly #addresses = new Map<string, AddressCount>();
  readonly #waiting = new Set<Waiter>();
  #connections = 0;
  #handshakes = 0;
  #tokens: number;
  #refilledMs: number;
  #refill: Timer | undefined;
  #closed = false;
  /** How many were refused, by reason. */
  readonly refused = new Map<Refusal, number>();

  constructor(limits: TunnelLimits, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#tokens = this.#burst;
    this.#refilledMs = clock.monotonicMs();
  }

  /** Handshakes running now. */
  get handshakes(): number {
    return this.#handshakes;
  }

  /** Connections that wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Connections, those in their handshake and those that wait included. */
  get connections(): number {
    return this.#connections;
  }

  /** From now on everybody is refused, those who wait too: the hub is stopping. */
  close(): void {
    this.#closed = true;
    this.#refill?.cancel();
    for (const waiter of this.#waiting) this.#giveUp(waiter, 'closed');
  }

  /** Takes a place for a connection from `address` that begins now, or says which limit refuses it. */
  tryEnter(address: string): Admission | Refusal {
    const count = this.#countOf(address);
    const refusal = this.#connectionRefusal(count) ?? this.#handshakeRefusal(count);
    if (refusal !== undefined) return this.#refuse(refusal);
    const place = this.#takePlace(address, count);
    place.begin();
    return place;
  }

  /**
   * Takes a place for a connection from `address` that begins now or, where a limit of handshakes is reached, in its
   * turn; or says which limit refuses it.
   */
  enter(address: string, turn: Turn): Admission | Refusal {
    const count = this.#countOf(address);
    const refusal = this.#connectionRefusal(count);
    if (refusal !== undefined) return this.#refuse(refusal);
    const reason = this.#handshakeRefusal(count);
    if (reason === undefined) {
      const place = this.#takePlace(address, count);
      place.begin();
      turn.begin();
      return place;
    }
    const { maxWaitingHandshakes, maxWaitingHandshakesPerAddress } = this.#limits;
    if (this.#waiting.size >= maxWaitingHandshakes || count.waiting >= maxWaitingHandshakesPerAddress) {
      return this.#refuse(reason);
    }
    return this.#wait(this.#takePlace(address, count), count, turn, reason);
  }

  #wait(place: Place, count: AddressCount, turn: Turn, reason: Refusal): Admission {
    const waiter: Waiter = {
      count,
      begin: () => {
        place.begin();
        turn.begin();
      },
      giveUp: turn.giveUp,
      patience: this.#clock.setTimer(this.#limits.handshakeWaitMs, () => this.#giveUp(waiter, reason), {
        background: true,
      }),
    };
    this.#waiting.add(waiter);
    count.waiting += 1;
    if (reason === 'rate') this.#serveWhenRefilled();
    return {
      established: () => place.established(),
      release: () => {
        this.#leave(waiter);
        place.release();
      },
    };
  }

  /** @returns whether it waited */
  #leave(waiter: Waiter): boolean {
    if (!this.#waiting.delete(waiter)) return false;
    waiter.patience.cancel();
    waiter.count.waiting -= 1;
    return true;
  }

  #giveUp(waiter: Waiter, reason: Refusal): void {
    this.#leave(waiter);
    this.#refuse(reason);
    waiter.giveUp();
  }

  /** Lets those begin who may, the first ones first. */
  #serve(): void {
    for (const waiter of this.#waiting) {
      const refusal = this.#handshakeRefusal(waiter.count);
      if (refusal === 'handshakes-per-address') continue;
      if (refusal === 'rate') this.#serveWhenRefilled();
      if (refusal !== undefined) return;
      this.#leave(waiter);
      waiter.begin();
    }
  }

  #serveWhenRefilled(): void {
    const untilMs = ((1 - this.#tokens) / this.#limits.handshakesPerSecond) * 1000;
    this.#refill ??= this.#clock.setTimer(
      Math.ceil(untilMs),
      () => {
        this.#refill = undefined;
        this.#serve();
      },
      { background: true },
    );
  }

  #refuse(refusal: Refusal): Refusal {
    this.refused.set(refusal, (this.refused.get(refusal) ?? 0) + 1);
    return refusal;
  }

  #countOf(address: string): AddressCount {
    return this.#addresses.get(address) ?? { connections: 0, handshakes: 0, waiting: 0 };
  }

  /** What no waiting helps with. */
  #connectionRefusal(count: AddressCount): Refusal | undefined {
    if (this.#closed) return 'closed';
    if (this.#connections >= this.#limits.maxConnections) return 'connections';
    if (count.connections >= this.#limits.maxConnectionsPerAddress) return 'connections-per-address';
    return undefined;
  }

  #handshakeRefusal(count: AddressCount): Refusal | undefined {
    if (this.#handshakes >= this.#limits.maxHandshakes) return 'handshakes';
    if (count.handshakes >= this.#limits.maxHandshakesPerAddress) return 'handshakes-per-address';
    this.#addTokens();
    return this.#tokens < 1 ? 'rate' : undefined;
  }

  /** Counts a connection, whose handshake has yet to begin. */
  #takePlace(address: string, count: AddressCount): Place {
    this.#connections += 1;
    count.connections += 1;
    this.#addresses.set(address, count);
    let state: 'waiting' | 'shaking' | 'established' | 'released' = 'waiting';
    const established = (): void => {
      if (state !== 'shaking') return;
      state = 'established';
      this.#handshakes -= 1;
      count.handshakes -= 1;
      this.#serve();
    };
    return {
      begin: () => {
        if (state !== 'waiting') return;
        state = 'shaking';
        this.#tokens -= 1;
        this.#handshakes += 1;
        count.handshakes += 1;
      },
      established,
      release: () => {
        established();
        if (state === 'released') return;
        state = 'released';
        this.#connections -= 1;
        count.connections -= 1;
        if (count.connections === 0) this.#addresses.delete(address);
      },
    };
  }

  get #burst(): number {
    return this.#limits.handshakesPerSecond * 2;
  }

  #addTokens(): void {
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#refilledMs) / 1000) * this.#limits.handshakesPerSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#refilledMs = nowMs;
  }
}

/** An admission whose handshake may have yet to begin. */
interface Place extends Admission {
  begin(): void;
}
