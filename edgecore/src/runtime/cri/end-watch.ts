import { setMaxListeners } from 'node:events';
import { delay, type Clock, type Timer } from '@hawser/seams';
import type { ContainerdEvent } from '../../cri/containerd-events.ts';
import type { PodCache } from './pod-cache.ts';
import type { PodReader } from './pod-reader.ts';
import { stateOf } from './pod-view.ts';

/** What an {@link EndWatch} is made of. */
export interface EndWatchOptions {
  readonly reader: PodReader;
  readonly cache: PodCache;
  readonly clock: Clock;
  /** The pod with this UID has changed, or one of its containers is known to have ended. */
  readonly changed: (uid: string) => void;
}

/** Where `/tasks/delete` does not come after `/tasks/exit`, it is looked for the end all the same after this. */
const EXIT_WITHOUT_DELETE_MS = 250;
/** Between looks: 2 ms a few times, since it is a matter of milliseconds, then doubling, up to 250 ms. */
const QUICK_LOOKS = 8;
const LOOK_MS = { quick: 2, slowest: 250 } as const;
/** For how long it is looked after in all. */
const LOOK_FOR_MS = 3_000;
/** Containers and sandboxes that are looked after at once; what is beyond is told of at once, and may be early. */
const LIMIT = 512;
/** To the signal of the stop: each look waits for a call, or for its time; a list is two calls. */
const LISTENERS = LIMIT + 2;

/**
 * Turns containerd's events into "this pod has changed", at the moment when CRI says the same. That a container has ended
 * is told at once, too, and kept in the cache until then ({@link PodCache.noteEnd}): it need not be waited for to
 * start the next one.
 *
 * containerd's CRI plug-in learns of the end of a task from the same events as we do, and some 20 ms later: who asks it
 * upon the event may be told "running" still, and would not be told again. So after `/tasks/delete`, which comes right
 * before the plug-in takes note of the end, its status is asked for until it says so. One that was out of memory
 * (`/tasks/oom`) is asked until it says that, too.
 * Source: containerd 1.6, pkg/cri/server/events.go, handleContainerExit.
 */
export class EndWatch {
  readonly #options: EndWatchOptions;
  readonly #looking = new Set<string>();
  readonly #exits = new Map<string, Timer>();
  readonly #stopping = new AbortController();
  #refreshing: Promise<void> | undefined;

  constructor(options: EndWatchOptions) {
    this.#options = options;
    // Each that is looked after listens to it; when a node is drained those are all at once.
    setMaxListeners(LISTENERS, this.#stopping.signal);
  }

  /** Takes an event; never fails. */
  take(event: Exclude<ContainerdEvent, { kind: 'images' }>): void {
    const { containerId } = event;
    const known = this.#options.cache.find(containerId);
    switch (event.kind) {
      case 'oom':
        this.#takeOutOfMemory(containerId);
        break;
      case 'exited':
        this.#takeExit(event);
        break;
      case 'task-deleted':
        this.#look(containerId);
        break;
      case 'deleted':
        this.#options.cache.forget(containerId);
        if (known !== undefined) this.#options.changed(known.uid);
        break;
      default:
        if (known !== undefined) this.#options.changed(known.uid);
    }
  }

  /** Stops looking. Idempotent. */
  stop(): void {
    this.#stopping.abort();
    for (const timer of this.#exits.values()) timer.cancel();
    this.#exits.clear();
  }

  /** It comes before the exit, as a rule. Where it comes after, what was told of the end was not all of it. */
  #takeOutOfMemory(id: string): void {
    const { cache } = this.#options;
    cache.noteOutOfMemory(id);
    if (cache.hasEnded(id)) this.#look(id);
  }

  #takeExit({ containerId: id, exitCode, exitedAtMs }: Extract<ContainerdEvent, { kind: 'exited' }>): void {
    this.#lookLater(id);
    const { cache, changed } = this.#options;
    const known = cache.find(id);
    // Only while it is looked after: what is noted is forgotten when that is over.
    const isWatched = this.#exits.has(id) || this.#looking.has(id);
    if (!isWatched || known?.kind !== 'container' || exitedAtMs === undefined || cache.hasEnded(id)) return;
    cache.noteEnd(id, { exitCode, finishedAtMs: exitedAtMs });
    changed(known.uid);
  }

  #lookLater(id: string): void {
    if (this.#exits.has(id) || this.#looking.has(id) || this.#stopping.signal.aborted) return;
    if (this.#exits.size >= LIMIT) this.#look(id);
    else
      this.#exits.set(
        id,
        this.#options.clock.setTimer(EXIT_WITHOUT_DELETE_MS, () => this.#look(id)),
      );
  }

  #look(id: string): void {
    this.#exits.get(id)?.cancel();
    this.#exits.delete(id);
    if (this.#looking.has(id) || this.#stopping.signal.aborted) return;
    if (this.#looking.size >= LIMIT) {
      const { cache, changed } = this.#options;
      cache.forgetEnd(id);
      const known = cache.find(id);
      if (known !== undefined) changed(known.uid);
      return;
    }
    this.#looking.add(id);
    void this.#lookUntilEnded(id).finally(() => this.#looking.delete(id));
  }

  /** Every failure ends in telling: whoever looks then is told the reason. */
  async #lookUntilEnded(id: string): Promise<void> {
    const { cache, clock, changed } = this.#options;
    const { signal } = this.#stopping;
    try {
      if (cache.find(id) === undefined) await this.#refresh();
      const known = cache.find(id);
      if (known === undefined) return; // somebody else's
      const until = clock.monotonicMs() + LOOK_FOR_MS;
      for (let looks = 1; !(await this.#ended(id, known.kind)); looks++) {
        if (clock.monotonicMs() > until) break;
        const waitMs = LOOK_MS.quick * 2 ** Math.max(0, looks - QUICK_LOOKS);
        await delay(Math.min(waitMs, LOOK_MS.slowest), { clock, signal });
      }
    } catch {
      // Stopping, or the runtime is away: then all pods are looked at again when it is back.
    }
    cache.forgetEnd(id);
    const known = cache.find(id);
    if (known !== undefined && !signal.aborted) changed(known.uid);
  }

  async #ended(id: string, kind: 'sandbox' | 'container'): Promise<boolean> {
    const { reader, cache } = this.#options;
    const { signal } = this.#stopping;
    if (kind === 'sandbox') return (await reader.sandboxReady(id, signal)) !== true;
    const status = await reader.containerStatus(id, signal);
    if (status === undefined) return true;
    return stateOf(status.state) === 'exited' && (status.reason === 'OOMKilled' || !cache.wasOutOfMemory(id));
  }

  /** Learns ids that came into being unseen, such as by an edge core that ended before it was answered. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#options.reader
      .items(undefined, this.#stopping.signal)
      .then(() => {})
      .finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }
}
