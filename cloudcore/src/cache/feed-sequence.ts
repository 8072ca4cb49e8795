import { setMaxListeners } from 'node:events';
import { compareResourceVersions, type ApiClient } from '@hawser/kube';
import { deferred, type Clock, type Deferred, type Logger } from '@hawser/seams';
import { waitUntilServed } from './feed-presence.ts';
import type { Feed } from './resource-feed.ts';

/** One resource that the hub follows. */
export interface FeedMember {
  readonly feed: Feed;
  /** What is kept of it, for metrics. */
  readonly kept: { readonly objects: number; readonly bytes: number };
  /**
   * Absent: the API server serves it always, and its versions are of the counter that all share. Otherwise its
   * CustomResourceDefinition may be missing; then this is called, and there is nothing until it comes.
   */
  readonly onNotServed?: () => void;
}

/** Settings of {@link FeedSequence}. */
export interface FeedSequenceOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time between looks for a resource that is not served, milliseconds. */
  readonly presenceIntervalMs: number;
  /** Members of a stage begin when those of the stages before have seen a complete list. */
  readonly stages: readonly (readonly FeedMember[])[];
  /** Every member has seen a complete list, or is not served: at first, and after each {@link FeedSequence.relist}. */
  readonly onSynced: () => void;
}

/**
 * All feeds of a cache, in the order in which one decides what of the next is kept: nodes, then pods, then what pods
 * name. So the first lists keep what is needed and nothing else, and nothing has to be fetched one by one.
 */
export class FeedSequence {
  readonly #options: FeedSequenceOptions;
  readonly #stopping = new AbortController();
  readonly #notServed = new Set<FeedMember>();
  readonly #watching: Promise<void>[] = [];
  readonly #relisting = new Set<Promise<void>>();
  #running: Promise<void> | undefined;
  #synced = false;
  /** Whether all is to be listed before it counts as synced again. */
  #suspended = false;
  /** Grows with whatever takes back that all was listed. */
  #life = 0;

  constructor(options: FeedSequenceOptions) {
    this.#options = options;
    // Each member that is waited for listens to it.
    setMaxListeners(0, this.#stopping.signal);
  }

  /** Whether every member shows the present life of the API server. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Whether {@link suspend} or {@link relist} was called, and not all was listed since. */
  get relisting(): boolean {
    return this.#suspended || this.#relisting.size > 0;
  }

  /** The API server has another life, or may have: nothing counts as synced any more until {@link relist}. */
  suspend(): void {
    this.#suspended = true;
    this.#synced = false;
    this.#life += 1;
  }

  /**
   * All members end their watches, whose life is over, and list anew, at once: what was listed before stays, and
   * decides what is kept. Those that have not begun yet follow in their turn.
   */
  relist(): void {
    const { signal } = this.#stopping;
    if (signal.aborted || this.#running === undefined) return;
    this.suspend();
    this.#suspended = false;
    for (const { feed } of this.members()) feed.relist();
    const relisting: Promise<void> = this.#relisted(this.#life, signal).finally(() => {
      this.#relisting.delete(relisting);
    });
    this.#relisting.add(relisting);
  }

  members(): readonly FeedMember[] {
    return this.#options.stages.flat();
  }

  /** The highest version that any of the built-in resources was seen at; `''` before the first list. */
  get highestVersion(): string {
    let highest = '';
    for (const { feed, onNotServed } of this.members()) {
      if (onNotServed !== undefined) continue;
      if (highest === '' || (compareResourceVersions(feed.lastVersion, highest) ?? 0) > 0)
        highest = feed.lastVersion;
    }
    return highest;
  }

  /** Feeds that have not certainly reached a version of the shared counter. */
  behind(version: string): readonly FeedMember[] {
    return this.members().filter((member) => {
      if (this.#notServed.has(member)) return false;
      const order = compareResourceVersions(member.feed.lastVersion, version);
      return order === undefined || order < 0;
    });
  }

  /** Begins; without effect when begun or stopped. */
  start(): void {
    if (this.#stopping.signal.aborted) return;
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Ends every watch; resolves when nothing is open any more. Idempotent. */
  async stop(reason: Error): Promise<void> {
    this.#stopping.abort(reason);
    await Promise.all(this.members().map(({ feed }) => feed.stop()));
    await this.#running;
    await Promise.all(this.#watching);
    await Promise.all(this.#relisting);
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      for (const stage of this.#options.stages)
        await Promise.all(stage.map((member) => this.#begin(member, signal)));
      if (!this.#suspended && this.#relisting.size === 0) this.#complete();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #complete(): void {
    this.#synced = true;
    this.#options.onSynced();
  }

  /** Resolves when all members have listed since {@link relist}, or something has taken that back. */
  async #relisted(life: number, signal: AbortSignal): Promise<void> {
    const members = this.members();
    try {
      await this.#running;
      await Promise.all(members.map((member) => this.#relistedOne(member, signal)));
      if (this.#life === life) this.#complete();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #relistedOne(member: FeedMember, signal: AbortSignal): Promise<void> {
    const { feed, onNotServed } = member;
    // Looked for already; when it comes it lists for the first time.
    if (this.#notServed.has(member)) return;
    if (onNotServed === undefined) {
      await feed.waitForRelist(signal);
      return;
    }
    const listed = new AbortController();
    const looking = this.#lookForAbsence(feed, AbortSignal.any([signal, listed.signal]));
    try {
      await feed.waitForRelist(signal);
    } finally {
      listed.abort();
      await looking;
    }
  }

  /** A list of what is not served any more would be tried for ever. Resolves when it is served, or the signal aborts. */
  async #lookForAbsence(feed: Feed, signal: AbortSignal): Promise<void> {
    const { client, clock, logger, presenceIntervalMs: intervalMs } = this.#options;
    const onAbsent = (): void => feed.relistedAsAbsent();
    try {
      await waitUntilServed(feed.resource, { client, clock, logger, intervalMs, onAbsent }, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Resolves when the member has seen a complete list, or is not served for now. */
  async #begin(member: FeedMember, signal: AbortSignal): Promise<void> {
    if (member.onNotServed === undefined) {
      member.feed.start();
      await member.feed.waitForSync(signal);
      return;
    }
    const found = deferred<boolean>();
    this.#watching.push(this.#lookFor(member, found, signal));
    if (await found.promise) await member.feed.waitForSync(signal);
  }

  async #lookFor(member: FeedMember, found: Deferred<boolean>, signal: AbortSignal): Promise<void> {
    const { client, clock, logger, presenceIntervalMs: intervalMs } = this.#options;
    const onAbsent = (): void => {
      this.#notServed.add(member);
      member.onNotServed?.();
      found.resolve(false);
    };
    try {
      await waitUntilServed(member.feed.resource, { client, clock, logger, intervalMs, onAbsent }, signal);
      this.#notServed.delete(member);
      member.feed.start();
      found.resolve(true);
    } catch (error) {
      found.reject(error); // only an abort ends it
    }
  }
}
