import { Controller, FailureLimiter, workqueueMetrics, type ApiClient } from '@hawser/kube';
import type { EpochSource } from '@hawser/proto';
import { systemClock, systemRandom, type Clock, type Logger, type Random } from '@hawser/seams';
import type { Registry } from 'prom-client';
import { LeaseEpochs } from './lease-epochs.ts';
import { leaseMetrics, type LeaseMetrics } from './lease-metrics.ts';
import { LeaseTable } from './lease-table.ts';
import { isFencedBy, type LeaseHolder } from './node-lease.ts';

/** Settings of {@link LeaseKeeper}. */
export interface LeaseKeeperOptions {
  readonly client: ApiClient;
  /** Id of this replica, other than every other's: the name of its pod, or a random one. */
  readonly replica: string;
  /** Uid of a Node, from the hub's cache; undefined while there is none. */
  readonly nodeUid: (node: string) => string | undefined;
  /**
   * Another session of the node is newer than the one with this epoch, which is to be ended as replaced. Its Lease is
   * not renewed any more.
   */
  readonly onFenced: (node: string, epoch: number) => void;
  readonly log: Logger;
  readonly registry: Registry;
  /**
   * Time between two renewals at most, milliseconds; up to twice that with more than 4000 nodes. Default 10000: a
   * quarter of what a Lease lasts.
   */
  readonly intervalMs?: number;
  /** Renewals at a time. Default 32; with 10,000 nodes and 10 s each may take 30 ms. */
  readonly concurrency?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

interface Held {
  readonly epoch: number;
  readonly sinceMs: number;
  /** Monotonic, milliseconds: when the API server last said that no newer session is there. */
  confirmedMs: number;
  /** Under way, shared by all who ask. */
  confirming?: Promise<boolean> | undefined;
}

const CALL_TIMEOUT_MS = 5000;
/** For how long a session counts as the newest after the API server has said so. */
const CONFIRMED_MS = 2000;
const RETRY_FROM_MS = 500;
/** Renewals are made together at such moments: to wake up costs as much as a renewal. */
const TICK_MS = 500;
/** From this rate on renewals become less frequent. */
const RENEWALS_PER_SECOND = 400;

/**
 * Renews the Leases of connected nodes, so that nodes need not: what Kubernetes takes for a node's sign of life
 * (KEP-589), and the same write says which replica has its session, and in which epoch.
 *
 * Level-triggered: a queue of node names with due times and one timer, not a timer for each. Renewals are spread over
 * the interval by chance. A write that meets somebody else's is judged by the epoch found there: a higher one fences
 * this session, anything else is written over. A session that has ended is not renewed any more; its Lease stays, and
 * runs out.
 */
export class LeaseKeeper {
  /** Epochs for the tunnel server. */
  readonly epochs: EpochSource;
  readonly #options: LeaseKeeperOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #intervalMs: number;
  readonly #metrics: LeaseMetrics;
  readonly #table: LeaseTable;
  readonly #epochs: LeaseEpochs;
  readonly #queue: Controller;
  readonly #held = new Map<string, Held>();
  #failing = false;

  constructor(options: LeaseKeeperOptions) {
    const { client, replica, nodeUid, registry, intervalMs = 10_000, concurrency = 32 } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#log = options.log.child({ component: 'leases' });
    this.#intervalMs = intervalMs;
    this.#metrics = leaseMetrics(registry, () => this.#held.size);
    const callTimeoutMs = Math.min(CALL_TIMEOUT_MS, intervalMs);
    this.#table = new LeaseTable({ client, nodeUid, clock: this.#clock, callTimeoutMs });
    const shared = { table: this.#table, replica, clock: this.#clock, metrics: this.#metrics };
    this.#epochs = new LeaseEpochs({ ...shared, log: this.#log });
    this.epochs = this.#epochs;
    this.#queue = new Controller({
      name: 'leases',
      workers: concurrency,
      reconcile: (node, signal) => this.#renew(node, signal),
      rateLimiter: new FailureLimiter({ baseMs: RETRY_FROM_MS, capMs: intervalMs }),
      onError: (error, node) => this.#onError(error, node),
      metrics: workqueueMetrics(registry),
      clock: this.#clock,
    });
  }

  /** Nodes whose Lease is renewed. */
  get held(): number {
    return this.#held.size;
  }

  /**
   * Time between two renewals at most. With thousands of nodes it grows, up to twice the interval: half of what a
   * Lease lasts. Ten thousand would cost the hub a core otherwise, and the API server as much.
   */
  get #periodMs(): number {
    const paced = (this.#held.size / RENEWALS_PER_SECOND) * 1000;
    return Math.min(Math.max(this.#intervalMs, paced), 2 * this.#intervalMs);
  }

  /** Begins to renew; what is held already included. Idempotent. */
  start(): void {
    this.#queue.start();
  }

  /** Renews nothing any more; resolves when no call is under way. Leases stay as they are. Idempotent. */
  async stop(): Promise<void> {
    this.#held.clear();
    await this.#queue.stop();
  }

  /**
   * Renews the node's Lease from now on, for the session with this epoch. Answers how to let it go; that does nothing
   * once a newer session of the node is held.
   */
  hold(node: string, epoch: number): () => void {
    const present = this.#held.get(node);
    if (present !== undefined && present.epoch >= epoch) return () => {};
    // Giving the epoch was a renewal, if it could be written.
    const isUnwritten = this.#epochs.isUnwritten(node, epoch);
    const confirmedMs = isUnwritten ? -Infinity : this.#clock.monotonicMs();
    const held = { epoch, sinceMs: Math.floor(this.#clock.wallMs()), confirmedMs };
    this.#held.set(node, held);
    if (isUnwritten) this.#queue.enqueue(node);
    else this.#queue.enqueueAfter(node, this.#periodMs * (0.2 + 0.7 * this.#random.next()));
    return () => {
      if (this.#held.get(node) !== held) return;
      this.#held.delete(node);
      this.#epochs.settled(node);
    };
  }

  /**
   * Whether no newer session of the node is there, at another replica either: what this one has to say may be older
   * otherwise. Asks the API server where it has not said so within {@link CONFIRMED_MS}; one that does not answer takes
   * no write, and so nothing stands against it.
   */
  async confirm(node: string, epoch: number, signal: AbortSignal): Promise<boolean> {
    const held = this.#held.get(node);
    if (held?.epoch !== epoch) return false;
    if (this.#clock.monotonicMs() - held.confirmedMs <= CONFIRMED_MS) return true;
    held.confirming ??= this.#ask(node, held, signal).finally(() => (held.confirming = undefined));
    return await held.confirming;
  }

  async #ask(node: string, held: Held, signal: AbortSignal): Promise<boolean> {
    const { epoch, sinceMs } = held;
    let holder: LeaseHolder;
    try {
      holder = await this.#table.holder(node, signal);
    } catch (error) {
      this.#log.debug({ node, err: error }, 'lease not read before a write');
      return true;
    }
    if (isFencedBy({ node, replica: this.#options.replica, epoch, sinceMs }, holder)) {
      this.#fence(node, held, holder);
      return false;
    }
    held.confirmedMs = this.#clock.monotonicMs();
    return this.#held.get(node) === held;
  }

  /** The end of a wait, brought forward to a moment that renewals share: a few at once cost less than one by one. */
  #untilTick(waitMs: number): number {
    const due = this.#clock.monotonicMs() + waitMs;
    return Math.max(waitMs - (due % TICK_MS), 0);
  }

  async #renew(node: string, signal: AbortSignal): Promise<void> {
    const held = this.#held.get(node);
    if (held === undefined) return;
    const { replica } = this.#options;
    const result = await this.#table.write(
      node,
      () => ({ node, replica, epoch: held.epoch, sinceMs: held.sinceMs }),
      signal,
    );
    if (!result.written) {
      this.#fence(node, held, result.holder);
      return;
    }
    held.confirmedMs = this.#clock.monotonicMs();
    this.#metrics.renewals.inc({ result: 'renewed' });
    if (result.conflicts > 0) this.#metrics.conflicts.inc(result.conflicts);
    this.#onSuccess();
    if (this.#held.get(node) !== held) return;
    this.#epochs.settled(node);
    this.#queue.enqueueAfter(node, this.#untilTick(this.#periodMs * (0.8 + 0.2 * this.#random.next())));
  }

  #fence(node: string, held: Held, holder: LeaseHolder): void {
    this.#metrics.renewals.inc({ result: 'fenced' });
    if (this.#held.get(node) !== held) return; // it has ended, or a newer one is held here
    this.#held.delete(node);
    this.#epochs.settled(node);
    const { epoch } = held;
    const by = { replica: holder.replica, epoch: holder.epoch };
    this.#log.info({ node, epoch, by }, 'a newer session of the node is held elsewhere');
    this.#options.onFenced(node, epoch);
  }

  #onError(error: Error, node: string): void {
    this.#metrics.renewals.inc({ result: 'failed' });
    this.#log.debug({ node, err: error }, 'lease not renewed');
    if (this.#failing) return;
    this.#failing = true;
    this.#log.warn({ node, err: error }, 'leases cannot be renewed; trying again');
  }

  #onSuccess(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#log.info({ held: this.#held.size }, 'leases are renewed again');
  }
}
