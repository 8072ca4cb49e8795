import { StatusError } from '@hawser/kube';
import type { EpochSource } from '@hawser/proto';
import type { Clock, Logger } from '@hawser/seams';
import type { LeaseMetrics } from './lease-metrics.ts';
import type { LeaseTable } from './lease-table.ts';

/** Settings of {@link LeaseEpochs}. */
export interface LeaseEpochsOptions {
  readonly table: LeaseTable;
  /** Id of this replica, other than every other's. */
  readonly replica: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: LeaseMetrics;
  /** Time for the API server in all, milliseconds; below the tunnel's handshake time-out. Default 4000. */
  readonly timeoutMs?: number;
  /** An API server that does not work is not asked for this time, milliseconds. Default 5000. */
  readonly pauseMs?: number;
}

/** Nodes whose highest epoch is remembered; the longest unused goes first. */
const MAX_NODES = 100_000;

/**
 * Epochs of sessions over all replicas, kept in the Leases of the nodes: one reading (none, where this replica
 * remembers the Lease) and one write, which takes the Lease over and so fences an older session elsewhere.
 *
 * Edges have to get in while the API server is away, too: then an epoch is given that is above all that this replica
 * and the edge know, and the lease keeper writes it as soon as it can. If another replica had given a higher one that
 * the edge does not know of (an edge that lost its state), that write finds it, the session is ended as replaced, and
 * the edge comes back at once with an epoch above both.
 */
export class LeaseEpochs implements EpochSource {
  readonly #options: LeaseEpochsOptions;
  /** The highest epoch that was given here, in order of use. */
  readonly #given = new Map<string, number>();
  /** Epochs that are in no Lease yet. */
  readonly #unwritten = new Map<string, number>();
  #pausedUntilMs = -Infinity;

  constructor(options: LeaseEpochsOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async next(node: string, lastSeen: number): Promise<number> {
    const { clock, metrics, log, pauseMs = 5000 } = this.#options;
    if (clock.monotonicMs() >= this.#pausedUntilMs) {
      try {
        const epoch = await this.#take(node, lastSeen);
        metrics.epochs.inc({ from: 'lease' });
        return epoch;
      } catch (error) {
        if (isDown(error)) this.#pausedUntilMs = clock.monotonicMs() + pauseMs;
        log.warn({ node, err: error }, 'epoch given without the Lease: the API server did not take it');
      }
    }
    metrics.epochs.inc({ from: 'memory' });
    const epoch = this.#give(node, lastSeen);
    this.#unwritten.set(node, epoch);
    return epoch;
  }

  /** Whether this epoch was given, and is in no Lease yet. */
  isUnwritten(node: string, epoch: number): boolean {
    return this.#unwritten.get(node) === epoch;
  }

  /** The node's Lease is written, or its session has ended. */
  settled(node: string): void {
    this.#unwritten.delete(node);
  }

  async #take(node: string, lastSeen: number): Promise<number> {
    const { table, replica, clock, timeoutMs = 4000 } = this.#options;
    const deadline = new AbortController();
    const timer = clock.setTimer(timeoutMs, () => {
      deadline.abort(new Error(`the Lease of ${node} was not written within ${timeoutMs} ms`));
    });
    let epoch = 0;
    try {
      await table.write(
        node,
        (holder) => {
          epoch = this.#give(node, Math.max(holder.epoch, lastSeen));
          return { node, replica, epoch, sinceMs: clock.wallMs() };
        },
        deadline.signal,
      );
    } finally {
      timer.cancel();
    }
    this.#unwritten.delete(node);
    return epoch;
  }

  /** Above `floor` and all that was given, also by calls that still wait for their answer. */
  #give(node: string, floor: number): number {
    const epoch = Math.max(this.#given.get(node) ?? 0, floor) + 1;
    this.#given.delete(node);
    this.#given.set(node, epoch);
    if (this.#given.size > MAX_NODES) {
      const [oldest] = this.#given.keys();
      if (oldest !== undefined) this.#given.delete(oldest);
    }
    return epoch;
  }
}

/** A refusal (others keep writing this Lease, rights are missing) says nothing about the Leases of other nodes. */
function isDown(error: unknown): boolean {
  return !(error instanceof StatusError) || error.status.code >= 500 || error.status.code === 429;
}
