import { compareVersions, type ApiClient, type ReflectorMetrics } from '@hawser/kube';
import type { Random, Timer } from '@hawser/seams';
import { poolResourceName, type PoolResource } from '@hawser/sync';
import { CloudCoreError } from '../errors.ts';
import type { NamedResource } from './node-pool.ts';
import { ResourceScope, type ResourceScopeSettings } from './resource-scope.ts';
import { ServedFeed, type FeedState } from './served-feed.ts';

/** Settings of {@link ResourceScopes}. */
export interface ResourceScopesOptions extends ResourceScopeSettings {
  readonly client: ApiClient;
  readonly random: Random;
  readonly reflectorMetrics?: ReflectorMetrics;
  /** A list showed an older state than was seen before. */
  readonly onOlderList: (resource: string, from: string, to: string) => void;
  /** A resource has come, gone, or may not be read. */
  readonly onChange: (name: string) => void;
  readonly presenceIntervalMs?: number;
  /** How long a resource is followed after the last one who wanted it, milliseconds. Default 30000. */
  readonly lingerMs?: number;
}

interface Entry {
  readonly scope: ResourceScope;
  /** Versions, the best one first. */
  wanted: readonly NamedResource[];
  feed: ServedFeed<unknown>;
  /** As it is served, once a complete list was seen. */
  resource: PoolResource | undefined;
  linger: Timer | undefined;
}

const LINGER_MS = 30_000;

/**
 * What pools and solo nodes want of the API server: each resource is listed and watched once, whoever wants it and
 * however many they are, and given up when nobody does.
 */
export class ResourceScopes {
  readonly #options: ResourceScopesOptions;
  readonly #entries = new Map<string, Entry>();
  /** By holder. */
  readonly #wanted = new Map<string, readonly NamedResource[]>();
  readonly #ending = new Set<Promise<void>>();
  #started = false;
  #stopped = false;

  constructor(options: ResourceScopesOptions) {
    this.#options = options;
  }

  /** Names of what is followed, or looked for. */
  names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  scope(name: string): ResourceScope | undefined {
    return this.#entries.get(name)?.scope;
  }

  /** `looking` also where nobody has wanted it. */
  state(name: string): FeedState {
    return this.#entries.get(name)?.feed.state ?? 'looking';
  }

  /** As it is served, once all of it is here; undefined: not yet, or not any more. */
  resource(name: string): PoolResource | undefined {
    return this.#entries.get(name)?.resource;
  }

  /** What a holder wants from now on, in place of what it wanted before. */
  want(holder: string, resources: readonly NamedResource[]): void {
    const before = this.#wanted.get(holder) ?? [];
    if (resources.length === 0) this.#wanted.delete(holder);
    else this.#wanted.set(holder, resources);
    for (const name of new Set([...before, ...resources].map(poolResourceName))) this.#evaluate(name);
  }

  /** Follows resources for a while, though nobody wants them yet. */
  borrow(resources: readonly NamedResource[]): void {
    const holder = 'borrowed';
    this.want(holder, resources);
    this.want(holder, []);
  }

  /** Begins. */
  start(): void {
    this.#started = true;
    for (const { feed } of this.#entries.values()) feed.start();
  }

  /** The API server has another life: what is there counts for nothing until it is listed anew. */
  relist(): void {
    for (const { scope, feed } of this.#entries.values()) {
      scope.distrust();
      feed.relist();
    }
  }

  /** Resolves when nothing is open any more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const [name, entry] of this.#entries) this.#drop(name, entry);
    await Promise.all(this.#ending);
  }

  #evaluate(name: string): void {
    if (this.#stopped) return;
    const wanted = this.#versionsOf(name);
    const entry = this.#entries.get(name);
    if (wanted.length === 0) {
      if (entry !== undefined) this.#linger(name, entry);
      return;
    }
    if (entry === undefined) {
      this.#add(name, wanted);
      return;
    }
    entry.linger?.cancel();
    entry.linger = undefined;
    const isSame = wanted.map(({ version }) => version).join() === versions(entry.wanted);
    entry.wanted = wanted;
    if (!isSame && wanted[0]?.version !== entry.feed.resource?.version) this.#restart(entry);
  }

  #versionsOf(name: string): readonly NamedResource[] {
    const found = new Map<string, NamedResource>();
    for (const resources of this.#wanted.values())
      for (const resource of resources)
        if (poolResourceName(resource) === name) found.set(resource.version, resource);
    return [...found.values()].sort((left, right) => compareVersions(left.version, right.version));
  }

  #add(name: string, wanted: readonly NamedResource[]): void {
    const scope = new ResourceScope(name, this.#options);
    const entry: Entry = {
      ...{ scope, wanted, resource: undefined, linger: undefined },
      feed: this.#feed(name, scope, wanted, () => entry),
    };
    this.#entries.set(name, entry);
    if (this.#started) entry.feed.start();
  }

  #restart(entry: Entry): void {
    const { scope, feed, wanted } = entry;
    this.#end(feed.stop());
    entry.feed = this.#feed(scope.name, scope, wanted, () => entry);
    if (this.#started) entry.feed.start();
  }

  #feed(
    name: string,
    scope: ResourceScope,
    wanted: readonly NamedResource[],
    entry: () => Entry,
  ): ServedFeed<unknown> {
    const { client, clock, random, log, reflectorMetrics, onOlderList, onChange, presenceIntervalMs } =
      this.#options;
    const feed = new ServedFeed({
      ...{ client, clock, random, log, wanted, sink: scope, onRollback: onOlderList },
      ...(reflectorMetrics && { metrics: reflectorMetrics }),
      ...(presenceIntervalMs !== undefined && { presenceIntervalMs }),
      onFound: (resource, lastVersion) => scope.follow(resource, lastVersion),
      onGone: () => {
        scope.release(new CloudCoreError('ERR_CLOUDCORE_CLOSED', `${name} is not served any more`));
        scope.absent();
      },
      onState: () => {
        const { state, resource } = feed;
        if (state === 'followed') entry().resource = resource;
        else if (state === 'absent') entry().resource = undefined;
        if (state === 'refused')
          log.error(
            { resource: name },
            'the hub may not read a resource that a pool wants; give it the right',
          );
        onChange(name);
      },
    });
    return feed;
  }

  #linger(name: string, entry: Entry): void {
    const { clock, lingerMs = LINGER_MS } = this.#options;
    entry.linger ??= clock.setTimer(lingerMs, () => this.#drop(name, entry), { background: true });
  }

  #drop(name: string, entry: Entry): void {
    entry.linger?.cancel();
    this.#entries.delete(name);
    this.#end(entry.feed.stop());
    entry.scope.close(new CloudCoreError('ERR_CLOUDCORE_CLOSED', `${name} is not wanted any more`));
  }

  #end(ending: Promise<void>): void {
    const own = ending.finally(() => this.#ending.delete(own));
    this.#ending.add(own);
  }
}

function versions(resources: readonly NamedResource[]): string {
  return resources.map(({ version }) => version).join();
}
