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
  /** Every member has seen a complete list, or is not served. Called once. */
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
  #running: Promise<void> | undefined;
  #synced = false;

  constructor(options: FeedSequenceOptions) {
    this.#options = options;
  }

  get synced(): boolean {
    return this.#synced;
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
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      for (const stage of this.#options.stages)
        await Promise.all(stage.map((member) => this.#begin(member, signal)));
      this.#synced = true;
      this.#options.onSynced();
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
