import { systemClock, type Clock } from '@hawser/seams';
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

interface AddressCount {
  connections: number;
  handshakes: number;
}

/**
 * Decides, before any expensive work, whether a connection may begin its handshake. One gate serves all listeners
 * of a hub. Memory is bounded by `maxConnections`.
 */
export class HandshakeGate {
  readonly #limits: TunnelLimits;
  readonly #clock: Clock;
  readonly #addresses = new Map<string, AddressCount>();
  #connections = 0;
  #handshakes = 0;
  #tokens: number;
  #refilledMs: number;
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

  /** Connections, those in their handshake included. */
  get connections(): number {
    return this.#connections;
  }

  /** From now on everybody is refused: the hub is stopping. */
  close(): void {
    this.#closed = true;
  }

  /** Takes a place for a connection from `address`, or says which limit refuses it. */
  tryEnter(address: string): Admission | Refusal {
    const count = this.#addresses.get(address) ?? { connections: 0, handshakes: 0 };
    const refusal = this.#refusalFor(count);
    if (refusal !== undefined) {
      this.refused.set(refusal, (this.refused.get(refusal) ?? 0) + 1);
      return refusal;
    }
    this.#tokens -= 1;
    this.#connections += 1;
    this.#handshakes += 1;
    count.connections += 1;
    count.handshakes += 1;
    this.#addresses.set(address, count);
    return this.#admission(address, count);
  }

  #refusalFor(count: AddressCount): Refusal | undefined {
    if (this.#closed) return 'closed';
    if (this.#connections >= this.#limits.maxConnections) return 'connections';
    if (count.connections >= this.#limits.maxConnectionsPerAddress) return 'connections-per-address';
    if (this.#handshakes >= this.#limits.maxHandshakes) return 'handshakes';
    if (count.handshakes >= this.#limits.maxHandshakesPerAddress) return 'handshakes-per-address';
    this.#refill();
    return this.#tokens < 1 ? 'rate' : undefined;
  }

  #admission(address: string, count: AddressCount): Admission {
    let shaking = true;
    let released = false;
    const established = (): void => {
      if (!shaking) return;
      shaking = false;
      this.#handshakes -= 1;
      count.handshakes -= 1;
    };
    return {
      established,
      release: () => {
        established();
        if (released) return;
        released = true;
        this.#connections -= 1;
        count.connections -= 1;
        if (count.connections === 0) this.#addresses.delete(address);
      },
    };
  }

  get #burst(): number {
    return this.#limits.handshakesPerSecond * 2;
  }

  #refill(): void {
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#refilledMs) / 1000) * this.#limits.handshakesPerSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#refilledMs = nowMs;
  }
}
