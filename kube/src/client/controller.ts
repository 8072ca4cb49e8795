import { setMaxListeners } from 'node:events';
import type { Clock } from '@hawser/seams';
import { ClientError } from './client-error.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { asError, report } from './report.ts';
import type { WorkqueueMetrics } from './workqueue-metrics.ts';
import { Workqueue } from './workqueue.ts';

/**
 * Brings what a key names to where it should be, from the present state and not from an event. A failure is
 * retried; to look again later though nothing failed, use `enqueueAfter`. `signal` is aborted when the controller
 * stops.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<void>;

/** Settings of {@link Controller}. */
export interface ControllerOptions {
  readonly name: string;
  readonly reconcile: Reconcile;
  /** Keys worked on at a time. Default 1. */
  readonly workers?: number;
  /**
   * Failures in a row after which a key is dropped until it is added again. Default: never dropped; the rate
   * limiter bounds how often it is tried.
   */
  readonly maxFailures?: number;
  /** Hears of every failure of a reconcile. `dropped`: it will not be tried again by itself. */
  readonly onError?: (error: Error, key: string, dropped: boolean) => void;
  readonly rateLimiter?: RateLimiter<string>;
  readonly limitKeys?: number;
  readonly metrics?: WorkqueueMetrics;
  readonly clock?: Clock;
}

/**
 * Workers over a queue of keys: handlers enqueue, workers reconcile, failures come back later and later.
 * Source: client-go examples/workqueue; controller-runtime.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #queue: Workqueue;
  readonly #stopping = new AbortController();
  #workers: Promise<void>[] = [];

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#queue = new Workqueue(options);
    // Each call under way listens to it, and a reconcile may make hundreds at a time.
    setMaxListeners(0, this.#stopping.signal);
  }

  /** The queue, for a look at its depth. */
  get queue(): Workqueue {
    return this.#queue;
  }

  /** Adds a key; for handlers. @throws ClientError `ERR_KUBE_CLIENT_FULL` */
  enqueue(key: string): void {
    this.#queue.add(key);
  }

  /** Adds a key after a delay in milliseconds. @throws ClientError `ERR_KUBE_CLIENT_FULL` */
  enqueueAfter(key: string, delayMs: number): void {
    this.#queue.addAfter(key, delayMs);
  }

  /** Starts the workers; without effect when started or stopped. */
  start(): void {
    if (this.#workers.length > 0 || this.#stopping.signal.aborted) return;
    this.#workers = Array.from({ length: this.#options.workers ?? 1 }, () => this.#work());
  }

  /** Aborts what is under way, drops what waits; resolves when all workers have ended. Idempotent. */
  async stop(): Promise<void> {
    const { name } = this.#options;
    this.#stopping.abort(new ClientError('ERR_KUBE_CLIENT_CLOSED', `controller ${name} was stopped`));
    await this.#queue.shutDown();
    await Promise.all(this.#workers);
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.next(); key !== undefined; key = await this.#queue.next()) {
      await this.#reconcile(key);
      this.#queue.done(key);
    }
  }

  async #reconcile(key: string): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await this.#options.reconcile(key, signal);
      this.#queue.forget(key);
    } catch (error) {
      if (signal.aborted) return;
      this.#retry(key, asError(error));
    }
  }

  #retry(key: string, error: Error): void {
    const { maxFailures = Infinity, onError } = this.#options;
    const dropped = this.#queue.failures(key) + 1 >= maxFailures;
    if (dropped) this.#queue.forget(key);
    else this.#queue.addRateLimited(key);
    report(onError, error, key, dropped);
  }
}
