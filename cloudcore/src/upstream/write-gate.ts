import { Workqueue } from '@hawser/kube';
import { deferred, delay, type Clock, type Deferred, type Random } from '@hawser/seams';
import { Refusal } from './outcome.ts';
import { TokenBucket, type Rate } from './token-bucket.ts';
import type { UpstreamOutcome } from './upstream-handler.ts';

/** How much edges together, and each of them, may make the hub do. */
export interface WriteLimits {
  /** Messages of one node. Default 20 a second, burst 100. */
  readonly perNode: Rate;
  /** Messages of all nodes. Default 300 a second, burst 1000. */
  readonly overall: Rate;
  /** Messages worked on at a time. Default 64. */
  readonly maxInFlight: number;
  /** The same of one node. Default 8. */
  readonly maxInFlightPerNode: number;
  /**
   * Messages that wait. Default 20000. From half of it on a node may have its share of that half waiting, and no more, so
   * that there is room for others.
   */
  readonly maxWaiting: number;
  /** The same of one node. Default 64: twice what an edge has under way. */
  readonly maxWaitingPerNode: number;
  /** What waits, bytes in memory. Default 67108864 (64 MiB). */
  readonly maxWaitingBytes: number;
  /** The same of one node. Default 4194304 (4 MiB); one message always may wait. */
  readonly maxWaitingBytesPerNode: number;
  /** A message that has waited longer, in milliseconds, is sent back with 429. Default 10000. */
  readonly maxWaitMs: number;
}

/** See {@link WriteLimits}. */
export const WRITE_LIMITS: WriteLimits = {
  perNode: { perSecond: 20, burst: 100 },
  overall: { perSecond: 300, burst: 1000 },
  maxInFlight: 64,
  maxInFlightPerNode: 8,
  maxWaiting: 20_000,
  maxWaitingPerNode: 64,
  maxWaitingBytes: 64 * 2 ** 20,
  maxWaitingBytesPerNode: 4 * 2 ** 20,
  maxWaitMs: 10_000,
};

/** One message that is to be worked on. */
export interface GateJob {
  /**
   * Messages with one key are worked on one after the other; one that still waits when a newer one comes in the same
   * session is not worked on, and shares the newer one's outcome. Absent: by itself.
   */
  readonly key?: string;
  /** The session. */
  readonly signal: AbortSignal;
  /** What it takes in memory while it waits. */
  readonly sizeBytes: number;
  /**
   * Nobody acts upon it: it gives way to all others of its node, and leaves half of the node's burst to them. Default
   * false.
   */
  readonly givesWay?: boolean;
  work(): Promise<UpstreamOutcome>;
}

/** What is under way, for metrics. */
export interface GateCounts {
  readonly waiting: number;
  readonly inFlight: number;
  /** Nodes with a bucket of their own. */
  readonly nodes: number;
  /** Messages that a newer one made unnecessary, ever. */
  readonly superseded: number;
}

interface Entry {
  job: GateJob;
  readonly sinceMs: number;
  readonly waiters: Deferred<UpstreamOutcome>[];
}

interface NodeState {
  readonly bucket: TokenBucket;
  /** In order of arrival. */
  readonly entries: Map<string, Entry>;
  /** Keys that are worked on. */
  readonly busy: Set<string>;
  inFlight: number;
  waitingBytes: number;
}

const SWEEP_FROM = 1024;
const NONE: ReadonlyMap<string, Entry> = new Map();

/**
 * Lets messages through to the API server: nodes take turns, each within its rate and all within theirs, a bounded
 * number at a time. What cannot wait any more is sent back with 429 and a time, never dropped in silence.
 */
export class WriteGate {
  readonly #limits: WriteLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #overall: TokenBucket;
  readonly #nodes = new Map<string, NodeState>();
  /** Nodes with something that may begin; a queue of keys is what makes turns fair. */
  readonly #turns: Workqueue;
  readonly #stopping = new AbortController();
  #slotFree: Deferred<void> | undefined;
  #dispatching: Promise<void> | undefined;
  #idle: Deferred<void> | undefined;
  #waiting = 0;
  /** Nodes that have something waiting. */
  #nodesWaiting = 0;
  #waitingBytes = 0;
  #inFlight = 0;
  #superseded = 0;
  #unkeyed = 0;
  #sweepAt = SWEEP_FROM;

  constructor(limits: WriteLimits, clock: Clock, random: Random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#overall = new TokenBucket(limits.overall, clock);
    this.#turns = new Workqueue({ name: 'upstream', clock });
  }

  get counts(): GateCounts {
    return {
      waiting: this.#waiting,
      inFlight: this.#inFlight,
      nodes: this.#nodes.size,
      superseded: this.#superseded,
    };
  }

  /** Begins to let messages through. Idempotent. */
  start(): void {
    this.#dispatching ??= this.#dispatch();
  }

  /** Sends back what waits; resolves when nothing is worked on any more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Refusal(503, 'ended', 'the hub is stopping', this.#spreadMs(1000)));
    for (const state of this.#nodes.values()) {
      for (const [key, entry] of state.entries) this.#reject(state, key, entry, this.#stopping.signal.reason);
    }
    this.#slotFree?.resolve();
    await this.#turns.shutDown();
    await this.#dispatching;
    if (this.#inFlight === 0) return;
    this.#idle ??= deferred();
    await this.#idle.promise;
  }

  /**
   * Counts a message against its node without doing anything for it: what is refused unread costs as well.
   */
  charge(node: string): void {
    this.#state(node).bucket.take();
  }

  /**
   * Whether the node may hand in anything at all, before its message is read.
   * @throws Refusal 429
   */
  check(node: string): void {
    this.#stopping.signal.throwIfAborted();
    const limits = this.#limits;
    const { perNode, overall } = limits;
    const state = this.#nodes.get(node);
    const tokens = state?.bucket.tokens ?? perNode.burst;
    if (tokens < 0) throw this.#overloaded(node, -tokens / perNode.perSecond);
    const { entries, waitingBytes } = state ?? { entries: NONE, waitingBytes: 0 };
    if (entries.size >= limits.maxWaitingPerNode || waitingBytes >= limits.maxWaitingBytesPerNode) {
      throw this.#overloaded(node, entries.size / perNode.perSecond);
    }
    if (entries.size > 0 && entries.size >= this.#share()) {
      throw this.#overloaded('all nodes', this.#waiting / overall.perSecond);
    }
    if (this.#waiting >= limits.maxWaiting || this.#waitingBytes >= limits.maxWaitingBytes) {
      throw this.#overloaded('all nodes', this.#waiting / overall.perSecond);
    }
  }

  /** Messages of one node that may wait, by how many nodes wait. */
  #share(): number {
    const half = this.#limits.maxWaiting / 2;
    if (this.#waiting < half) return Infinity;
    return Math.max(1, Math.floor(half / Math.max(1, this.#nodesWaiting)));
  }

  /**
   * Works on a message when it is its turn. Rejects as its work does, and with Refusal 429 (waited too long) or 503
   * (the session ended, or the hub stops).
   */
  run(node: string, job: GateJob): Promise<UpstreamOutcome> {
    const outcome = deferred<UpstreamOutcome>();
    try {
      this.#stopping.signal.throwIfAborted();
      this.#enqueue(node, job, outcome);
    } catch (error) {
      outcome.reject(error);
    }
    return outcome.promise;
  }

  #enqueue(node: string, job: GateJob, outcome: Deferred<UpstreamOutcome>): void {
    const state = this.#state(node);
    const key = job.key ?? `#${(this.#unkeyed += 1)}`;
    const older = state.entries.get(key);
    if (older?.job.signal === job.signal) {
      state.bucket.take(); // it was read and checked
      this.#countBytes(state, job.sizeBytes - older.job.sizeBytes);
      older.job = job;
      older.waiters.push(outcome);
      this.#superseded += 1;
      return;
    }
    // What an ended session has left here counts no more.
    if (older !== undefined) this.#reject(state, key, older, sessionEnded());
    else this.check(node);
    this.#countBytes(state, job.sizeBytes);
    if (state.entries.size === 0) this.#nodesWaiting += 1;
    state.entries.set(key, { job, sinceMs: this.#clock.monotonicMs(), waiters: [outcome] });
    this.#waiting += 1;
    this.#giveTurn(node, state);
  }

  async #dispatch(): Promise<void> {
    for (let node = await this.#turns.next(); node !== undefined; node = await this.#turns.next()) {
      if (await this.#mayBegin()) this.#begin(node);
      this.#turns.done(node);
      const state = this.#nodes.get(node);
      if (state !== undefined) this.#giveTurn(node, state);
    }
  }

  /** Waits for a free place and a token of all; false when stopping. */
  async #mayBegin(): Promise<boolean> {
    const { signal } = this.#stopping;
    while (this.#inFlight >= this.#limits.maxInFlight && !signal.aborted) {
      this.#slotFree = deferred();
      await this.#slotFree.promise;
    }
    const { waitMs } = this.#overall;
    if (waitMs > 0) await delay(waitMs, { clock: this.#clock, signal }).catch(() => undefined);
    return !signal.aborted;
  }

  #begin(node: string): void {
    const state = this.#nodes.get(node);
    if (state === undefined || state.inFlight >= this.#limits.maxInFlightPerNode) return;
    // Since its turn was given the node may have used up what it had.
    const found = this.#take(state);
    if (found === undefined) return;
    const [key, entry] = found;
    this.#overall.take();
    state.bucket.take();
    state.busy.add(key);
    state.inFlight += 1;
    this.#inFlight += 1;
    void this.#work(node, state, key, entry);
  }

  /** Never rejects. The place is free by the time that the outcome is told. */
  async #work(node: string, state: NodeState, key: string, { job, waiters }: Entry): Promise<void> {
    const tell = await outcomeOf(job);
    this.#end(node, state, key);
    for (const waiter of waiters) tell(waiter);
  }

  #end(node: string, state: NodeState, key: string): void {
    state.busy.delete(key);
    state.inFlight -= 1;
    this.#inFlight -= 1;
    this.#slotFree?.resolve();
    if (this.#inFlight === 0) this.#idle?.resolve();
    this.#giveTurn(node, state);
  }

  /** The message that may begin first, if any may; such as have waited in vain are sent back. */
  #take(state: NodeState): [string, Entry] | undefined {
    const nowMs = this.#clock.monotonicMs();
    let first: [string, Entry] | undefined;
    for (const [key, entry] of state.entries) {
      if (state.busy.has(key)) continue;
      if (entry.job.signal.aborted) this.#reject(state, key, entry, sessionEnded());
      else if (nowMs - entry.sinceMs > this.#limits.maxWaitMs) {
        const late = new Refusal(429, 'overloaded', 'waited too long for its turn', this.#spreadMs(1000));
        this.#reject(state, key, entry, late);
      } else if (first === undefined || (givesWay(first[1]) && !givesWay(entry))) {
        first = [key, entry];
      }
    }
    if (first === undefined || this.#waitMs(state, first[1]) > 0) return undefined;
    this.#remove(state, ...first);
    return first;
  }

  #giveTurn(node: string, state: NodeState): void {
    if (state.inFlight >= this.#limits.maxInFlightPerNode) return;
    let waitMs = Infinity;
    for (const [key, entry] of state.entries) {
      if (state.busy.has(key)) continue;
      waitMs = Math.min(waitMs, this.#waitMs(state, entry));
      if (!givesWay(entry)) break; // none has to wait for less
    }
    if (waitMs !== Infinity) this.#turns.addAfter(node, waitMs);
  }

  /** How long the node's rate has a message wait. */
  #waitMs({ bucket }: NodeState, entry: Entry): number {
    return givesWay(entry) ? bucket.waitLeaving(Math.floor(this.#limits.perNode.burst / 2)) : bucket.waitMs;
  }

  #reject(state: NodeState, key: string, entry: Entry, reason: unknown): void {
    this.#remove(state, key, entry);
    for (const waiter of entry.waiters) waiter.reject(reason);
  }

  #remove(state: NodeState, key: string, { job }: Entry): void {
    state.entries.delete(key);
    this.#waiting -= 1;
    if (state.entries.size === 0) this.#nodesWaiting -= 1;
    this.#countBytes(state, -job.sizeBytes);
  }

  #countBytes(state: NodeState, bytes: number): void {
    state.waitingBytes += bytes;
    this.#waitingBytes += bytes;
  }

  #state(node: string): NodeState {
    let state = this.#nodes.get(node);
    if (state === undefined) {
      if (this.#nodes.size >= this.#sweepAt) this.#sweep();
      const bucket = new TokenBucket(this.#limits.perNode, this.#clock);
      state = { bucket, entries: new Map(), busy: new Set(), inFlight: 0, waitingBytes: 0 };
      this.#nodes.set(node, state);
    }
    return state;
  }

  /** Forgets nodes of which nothing need be known; done each time that their number has doubled. */
  #sweep(): void {
    for (const [node, { bucket, entries, inFlight }] of this.#nodes) {
      if (entries.size === 0 && inFlight === 0 && bucket.isFull) this.#nodes.delete(node);
    }
    this.#sweepAt = Math.max(SWEEP_FROM, this.#nodes.size * 2);
  }

  #overloaded(who: string, afterSeconds: number): Refusal {
    return new Refusal(429, 'overloaded', `too many messages of ${who}`, this.#spreadMs(afterSeconds * 1000));
  }

  /** At least half a second, and spread, so that those sent back together do not come back together. */
  #spreadMs(afterMs: number): number {
    return Math.ceil(500 + afterMs * (1 + this.#random.next()));
  }
}

function givesWay({ job }: Entry): boolean {
  return job.givesWay === true;
}

/** How to tell what has become of a job. */
async function outcomeOf(job: GateJob): Promise<(waiter: Deferred<UpstreamOutcome>) => void> {
  try {
    const outcome = await job.work();
    return ({ resolve }) => resolve(outcome);
  } catch (error) {
    return ({ reject }) => reject(error);
  }
}

function sessionEnded(): Refusal {
  return new Refusal(503, 'ended', 'the session has ended');
}
