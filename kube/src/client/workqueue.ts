import { deferred, systemClock, type Clock, type Deferred, type Timer } from '@hawser/seams';
import { ClientError } from './client-error.ts';
import { DelayHeap } from './delay-heap.ts';
import { defaultRateLimiter, type RateLimiter } from './rate-limiter.ts';
import type { WorkqueueMetrics } from './workqueue-metrics.ts';

/** Settings of {@link Workqueue}. */
export interface WorkqueueOptions<K> {
  /** Names it in metrics and errors. */
  readonly name: string;
  /** Default: 5 ms · 2ⁿ up to 1000 s for each key, 10 a second for all. */
  readonly rateLimiter?: RateLimiter<K>;
  /** Distinct keys held, those that wait for their time included. Default 1000000. */
  readonly limitKeys?: number;
  readonly metrics?: WorkqueueMetrics;
  readonly clock?: Clock;
}

/**
 * Keys of objects that somebody should look at. Fair: in order of adding. Stingy: a key that is added many times
 * before it is worked on is worked on once; no key is worked on by two workers at a time; a key added while it is
 * worked on comes again afterwards. So it never holds more keys than there are objects.
 * Source: client-go util/workqueue (queue, delaying queue, rate-limiting queue).
 */
export class Workqueue<K extends string | number = string> {
  readonly #options: WorkqueueOptions<K>;
  readonly #clock: Clock;
  readonly #limiter: RateLimiter<K>;
  readonly #limitKeys: number;
  /** Waiting for a worker, with the time since when; insertion order is queue order. */
  readonly #queue = new Map<K, number>();
  /** Handed to a worker, with the time since when. */
  readonly #processing = new Map<K, number>();
  /** Added again while being worked on. */
  readonly #dirty = new Set<K>();
  readonly #delayed = new DelayHeap<K>();
  readonly #workers: Deferred<K | undefined>[] = [];
  readonly #idle: Deferred<void>[] = [];
  #timer: Timer | undefined;
  #timerDueMs = Infinity;
  #shuttingDown = false;

  constructor(options: WorkqueueOptions<K>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#limiter = options.rateLimiter ?? defaultRateLimiter(this.#clock);
    this.#limitKeys = options.limitKeys ?? 1_000_000;
  }

  /** Keys that wait for a worker. */
  get depth(): number {
    return this.#queue.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** Keys that workers are at. */
  get processing(): number {
    return this.#processing.size;
  }

  get isShuttingDown(): boolean {
    return this.#shuttingDown;
  }

  /**
   * Adds a key, to be worked on as soon as possible. Without effect while shutting down.
   * @throws ClientError `ERR_KUBE_CLIENT_FULL` for a new key above `limitKeys`
   */
  add(key: K): void {
    if (this.#shuttingDown || this.#queue.has(key) || this.#dirty.has(key)) return;
    const known = this.#processing.has(key);
    if (!known) this.#checkRoom(key);
    this.#options.metrics?.adds.inc({ name: this.#options.name });
    if (known) this.#dirty.add(key);
    else this.#enqueue(key);
  }

  /**
   * Adds a key after a delay in milliseconds; the earliest of several delays counts.
   * @throws ClientError `ERR_KUBE_CLIENT_FULL` for a new key above `limitKeys`
   */
  addAfter(key: K, delayMs: number): void {
    if (this.#shuttingDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    this.#checkRoom(key);
    this.#delayed.add(key, this.#clock.monotonicMs() + delayMs);
    this.#armTimer();
  }

  /** Adds a key after the delay that its failures call for, and counts one more. @throws as {@link addAfter} */
  addRateLimited(key: K): void {
    if (this.#shuttingDown) return;
    this.#options.metrics?.retries.inc({ name: this.#options.name });
    this.addAfter(key, this.#limiter.whenMs(key));
  }

  /** The key has succeeded, or is given up: the next failure is a first one. */
  forget(key: K): void {
    this.#limiter.forget(key);
  }

  /** Failures of the key since it was forgotten. */
  failures(key: K): number {
    return this.#limiter.failures(key);
  }

  /**
   * The next key, which the caller must give back with {@link done}; undefined once the queue is shut down and
   * empty. Waits without limit otherwise.
   */
  next(): Promise<K | undefined> {
    const first = this.#queue.keys().next();
    if (first.done !== true) {
      const key = first.value;
      this.#handOut(key, this.#queue.get(key) ?? 0);
      this.#queue.delete(key);
      this.#gauge();
      return Promise.resolve(key);
    }
    if (this.#shuttingDown) return Promise.resolve(undefined);
    const worker = deferred<K | undefined>();
    this.#workers.push(worker);
    return worker.promise;
  }

  /** Work on the key has ended; if it was added meanwhile, it is queued again. */
  done(key: K): void {
    const startedMs = this.#processing.get(key);
    if (startedMs === undefined) return;
    const { metrics, name } = this.#options;
    metrics?.workDuration.observe({ name }, (this.#clock.monotonicMs() - startedMs) / 1000);
    this.#processing.delete(key);
    if (this.#dirty.delete(key)) this.#enqueue(key);
    this.#settleIdle();
  }

  /**
   * Takes no more keys. With `drain`, what is queued (and what is added again while being worked on, before this
   * call) is still handed out, and waited for; without, it is dropped. Delayed keys are dropped. Resolves when no worker is at a key
   * any more. May be called again, from drain to drop.
   */
  async shutDown(options: { drain?: boolean } = {}): Promise<void> {
    this.#shuttingDown = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#delayed.clear();
    if (options.drain !== true) {
      this.#queue.clear();
      this.#dirty.clear();
      this.#gauge();
    }
    // Workers wait only while nothing is queued.
    for (const worker of this.#workers.splice(0)) worker.resolve(undefined);
    const idle: Deferred<void> = deferred();
    this.#idle.push(idle);
    this.#settleIdle();
    await idle.promise;
  }

  #enqueue(key: K): void {
    const worker = this.#workers.shift();
    if (worker === undefined) {
      this.#queue.set(key, this.#clock.monotonicMs());
      this.#gauge();
      return;
    }
    this.#handOut(key, this.#clock.monotonicMs());
    worker.resolve(key);
  }

  #handOut(key: K, addedMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    const { metrics, name } = this.#options;
    metrics?.queueDuration.observe({ name }, (nowMs - addedMs) / 1000);
    this.#processing.set(key, nowMs);
  }

  #checkRoom(key: K): void {
    if (this.#queue.has(key) || this.#processing.has(key) || this.#delayed.has(key)) return;
    if (this.#queue.size + this.#processing.size + this.#delayed.size < this.#limitKeys) return;
    const text = `workqueue ${this.#options.name} holds ${this.#limitKeys} keys already`;
    throw new ClientError('ERR_KUBE_CLIENT_FULL', text, { about: String(key) });
  }

  #armTimer(): void {
    const dueMs = this.#delayed.nextDueMs();
    if (dueMs === undefined || (this.#timer !== undefined && this.#timerDueMs <= dueMs)) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimer(dueMs - this.#clock.monotonicMs(), () => this.#onDue());
  }

  #onDue(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (let due = this.#delayed.takeDue(nowMs); due !== undefined; due = this.#delayed.takeDue(nowMs)) {
      this.add(due.key);
    }
    this.#armTimer();
  }

  #settleIdle(): void {
    if (this.#processing.size > 0 || this.#queue.size > 0) return;
    for (const idle of this.#idle.splice(0)) idle.resolve();
  }

  #gauge(): void {
    this.#options.metrics?.depth.set({ name: this.#options.name }, this.#queue.size);
  }
}
