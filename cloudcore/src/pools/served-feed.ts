import {
  apiVersionOf,
  StatusError,
  type ApiClient,
  type ApiResource,
  type ReflectorMetrics,
} from '@hawser/kube';
import {
  deferred,
  delay,
  type Clock,
  type Deferred,
  type Logger,
  type Random,
  type Timer,
} from '@hawser/seams';
import { records, text } from '../cache/json-reader.ts';
import { ResourceFeed, type FeedSink } from '../cache/resource-feed.ts';
import { CloudCoreError } from '../errors.ts';
import type { NamedResource } from './node-pool.ts';

/**
 * `looking`: it is not known yet. `absent`: the API server does not serve it. `refused`: the hub may not read it.
 * `followed`: a complete list was seen.
 */
export type FeedState = 'looking' | 'absent' | 'refused' | 'followed';

/** Settings of {@link ServedFeed}. */
export interface ServedFeedOptions<E> {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: ReflectorMetrics;
  /** One resource in the versions that would do, the best one first. */
  readonly wanted: readonly NamedResource[];
  readonly sink: FeedSink<E>;
  /** It was found, and is followed from now on. Before anything comes. */
  readonly onFound?: (resource: ApiResource, lastVersion: () => string) => void;
  /** It is not served any more: nothing of it exists. */
  readonly onGone: () => void;
  /** After {@link ServedFeed.state} has become another one. */
  readonly onState: () => void;
  readonly onRollback: (resource: string, from: string, to: string) => void;
  /** Time between looks for a resource that is not served, milliseconds; shorter at first. Default 10000. */
  readonly presenceIntervalMs?: number;
}

const PRESENCE_MS = 10_000;
/** First wait: definitions are often made just before they are needed. */
const RETRY_MS = 500;

/**
 * Follows a resource whose definition may come, go and come again, of whatever kind it is: looks for it in discovery, lists
 * and watches it while it is served, and looks again where the API server says that it is not there.
 */
export class ServedFeed<E> {
  readonly #options: ServedFeedOptions<E>;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #state: FeedState = 'looking';
  #feed: ResourceFeed<E> | undefined;
  #resource: ApiResource | undefined;
  #doubt: Deferred<void> = deferred();

  constructor(options: ServedFeedOptions<E>) {
    this.#options = options;
  }

  get state(): FeedState {
    return this.#state;
  }

  /** As it is served; undefined: it is not. */
  get resource(): ApiResource | undefined {
    return this.#resource;
  }

  /** `''` before the first list. */
  get lastVersion(): string {
    return this.#feed?.lastVersion ?? '';
  }

  /** Idempotent. */
  start(): void {
    if (this.#stopping.signal.aborted) return;
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** The API server has another life: all is listed anew. */
  relist(): void {
    this.#feed?.relist();
  }

  /** Resolves when all was listed since {@link relist}, or nothing is followed. Errors: `signal.reason`. */
  async waitForRelist(signal: AbortSignal): Promise<void> {
    await this.#feed?.waitForRelist(signal);
  }

  /** Resolves when nothing is open any more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new CloudCoreError('ERR_CLOUDCORE_CLOSED', 'a feed was stopped'));
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      while (true) {
        const resource = await this.#find(signal);
        await this.#follow(resource, signal);
        this.#resource = undefined;
        this.#options.onGone();
        this.#become('absent');
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Resolves once it is served. Errors: `signal.reason`. */
  async #find(signal: AbortSignal): Promise<ApiResource> {
    const { clock, log, wanted, presenceIntervalMs = PRESENCE_MS } = this.#options;
    for (let looks = 0; ; looks += 1) {
      try {
        const found = await this.#lookUp(signal);
        if (found !== undefined) return found;
        this.#become('absent');
      } catch (err) {
        signal.throwIfAborted();
        const [first] = wanted;
        log.warn({ resource: first?.resource, group: first?.group, err }, 'looking for a resource failed');
      }
      const waitMs = Math.min(RETRY_MS * 2 ** Math.min(looks, 10), presenceIntervalMs);
      await delay(waitMs, { clock, signal });
    }
  }

  async #lookUp(signal: AbortSignal): Promise<ApiResource | undefined> {
    for (const named of this.#options.wanted) {
      const found = await findResource(this.#options.client, named, signal);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Resolves when it is not served any more. Errors: `signal.reason`. */
  async #follow(resource: ApiResource, signal: AbortSignal): Promise<void> {
    const { client, clock, random, log, metrics, sink, onFound, onRollback } = this.#options;
    this.#resource = resource;
    const feed = new ResourceFeed<E>(resource, sink, {
      ...{ client, clock, random, logger: log, onRollback, ...(metrics && { metrics }) },
      onTrouble: (error) => this.#onTrouble(error),
    });
    this.#feed = feed;
    onFound?.(resource, () => feed.lastVersion);
    const onAbort = (): void => this.#doubt.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      feed.start();
      void feed.waitForSync(signal).then(
        () => this.#become('followed'),
        () => {}, // it was stopped
      );
      await this.#untilGone(signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#feed = undefined;
      await feed.stop();
    }
  }

  async #untilGone(signal: AbortSignal): Promise<void> {
    while (true) {
      this.#doubt = deferred();
      signal.throwIfAborted();
      const timer = this.#armDoubt();
      await this.#doubt.promise;
      timer?.cancel();
      signal.throwIfAborted();
      try {
        if ((await this.#lookUp(signal)) === undefined) return;
      } catch (err) {
        signal.throwIfAborted();
        this.#options.log.warn({ err }, 'looking for a resource failed'); // the watch fails again, and asks again
      }
    }
  }

  /** Not every API server ends watches of what it serves no more. */
  #armDoubt(): Timer | undefined {
    const { clock, presenceIntervalMs = PRESENCE_MS } = this.#options;
    if (this.#resource === undefined || !isDefined(this.#resource)) return undefined;
    return clock.setTimer(presenceIntervalMs, () => this.#doubt.resolve(), { background: true });
  }

  #onTrouble(error: Error): void {
    const code = error instanceof StatusError ? error.status.code : 0;
    if (code === 404) this.#doubt.resolve();
    if ((code === 401 || code === 403) && this.#state !== 'followed') this.#become('refused');
  }

  #become(state: FeedState): void {
    if (this.#state === state || this.#stopping.signal.aborted) return;
    this.#state = state;
    this.#options.onState();
  }
}

/** Whether a resource is there by a definition, which may go: groups of Kubernetes itself are `apps`, `…k8s.io`. */
function isDefined({ group }: ApiResource): boolean {
  return group.includes('.') && !group.endsWith('.k8s.io');
}

/**
 * The resource as the API server serves it, if objects of it can be listed and watched; undefined: not so.
 * Errors: those of `ApiClient`.
 */
export async function findResource(
  client: ApiClient,
  named: NamedResource,
  signal: AbortSignal,
): Promise<ApiResource | undefined> {
  const prefix = named.group === '' ? '/api' : '/apis';
  let found: unknown;
  try {
    const path = `${prefix}/${apiVersionOf(named)}`;
    found = await client.request({ method: 'GET', path, retries: 0, signal });
  } catch (error) {
    if (error instanceof StatusError && error.status.code === 404) return undefined;
    throw error;
  }
  const served = records((found as { resources?: unknown } | null)?.resources);
  const match = served.find(({ name }) => name === named.resource);
  const verbs = match?.['verbs'];
  if (
    match === undefined ||
    !Array.isArray(verbs) ||
    !['list', 'watch'].every((verb) => verbs.includes(verb))
  )
    return undefined;
  const { group, version, resource } = named;
  return { group, version, resource, kind: text(match['kind']), namespaced: match['namespaced'] === true };
}
