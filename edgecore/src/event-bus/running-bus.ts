import type { BusCounters } from './bus-counters.ts';
import type { EventBus } from './event-bus.ts';

/** What a bus holds at the moment. */
export interface BusStatus {
  /** Clients of our own broker that have said who they are. */
  readonly clients: number;
  /** Lasting sessions of our own broker. */
  readonly sessions: number;
  /** Messages of QoS 1 and 2 that wait for clients, or for a broker that is away. */
  readonly queued: number;
  /** Bytes of those. */
  readonly queuedBytes: number;
  /** Messages that our own broker keeps for those who subscribe later. */
  readonly retained: number;
  /** Whether the external broker is there; true where there is none. */
  readonly connected: boolean;
  /** Why the external broker is not there, as long as it is not. */
  readonly failure?: { readonly code: string; readonly message: string };
}

/** An {@link EventBus} with its life. */
export interface RunningBus extends EventBus {
  /** Where clients of this node connect to: `mqtt://127.0.0.1:1883`; empty before {@link start}. */
  readonly url: string;
  readonly counters: BusCounters;
  start(): Promise<void>;
  /** Ends connections; what has to last is on the disk when it resolves. Idempotent. */
  stop(): Promise<void>;
  /** Ends the clients of our own broker with these credentials: they are others now, or gone. */
  disconnect(name: string): void;
  status(): BusStatus;
}
