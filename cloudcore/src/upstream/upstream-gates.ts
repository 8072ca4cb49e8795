import type { Clock, Random } from '@hawser/seams';
import { WRITE_LIMITS, WriteGate, type GateCounts, type WriteLimits } from './write-gate.ts';

/** What is reported of devices: short waits, for the next report is newer, and the edge has it. */
export const DEVICE_LIMITS: WriteLimits = {
  ...WRITE_LIMITS,
  perNode: { perSecond: 20, burst: 40 },
  overall: { perSecond: 200, burst: 400 },
  maxInFlight: 32,
  maxInFlightPerNode: 4,
  maxWaiting: 2000,
  maxWaitingPerNode: 16,
  maxWaitMs: 5000,
};

/** How many may be under way, and of what. */
export interface UpstreamGatesOptions {
  /** Of everything else. Default `WRITE_LIMITS`. */
  readonly limits?: Partial<WriteLimits> | undefined;
  /** Default {@link DEVICE_LIMITS}. */
  readonly deviceLimits?: Partial<WriteLimits> | undefined;
  /** Uploads worked on at a time. */
  readonly maxUploads: number;
}

/**
 * The gates that messages go through: status of devices and uploads have gates of their own, so that neither many values
 * nor a slow receiver hold up what is said of nodes and pods.
 */
export class UpstreamGates {
  readonly #main: WriteGate;
  readonly #devices: WriteGate;
  readonly #uploads: WriteGate;

  constructor({ limits, deviceLimits, maxUploads }: UpstreamGatesOptions, clock: Clock, random: Random) {
    const gate = (given: WriteLimits): WriteGate => new WriteGate(given, clock, random);
    this.#main = gate({ ...WRITE_LIMITS, ...limits });
    this.#devices = gate({ ...DEVICE_LIMITS, ...deviceLimits });
    const maxInFlightPerNode = Math.max(1, Math.ceil(maxUploads / 4));
    this.#uploads = gate({ ...WRITE_LIMITS, maxInFlight: maxUploads, maxInFlightPerNode, maxWaiting: 2000 });
  }

  /** Of all. */
  get counts(): GateCounts {
    const counts = this.#all.map((gate) => gate.counts);
    const sum = (of: (one: GateCounts) => number): number =>
      counts.reduce((total, one) => total + of(one), 0);
    return {
      waiting: sum(({ waiting }) => waiting),
      inFlight: sum(({ inFlight }) => inFlight),
      nodes: sum(({ nodes }) => nodes),
      superseded: sum(({ superseded }) => superseded),
    };
  }

  get #all(): readonly WriteGate[] {
    return [this.#main, this.#devices, this.#uploads];
  }

  /** The gate of a kind of message, known or not. */
  of(kind: string): WriteGate {
    if (kind === 'device') return this.#devices;
    return kind === 'upload' ? this.#uploads : this.#main;
  }

  /** Idempotent. */
  start(): void {
    for (const gate of this.#all) gate.start();
  }

  /** As `WriteGate.stop`. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((gate) => gate.stop()));
  }
}
