import { RESOURCES, type ApiClient, type ApiResource, type KubeObject } from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import { formatKey, parseKey, type Content, type ContentKey } from '@hawser/sync';
import { CloudCoreError } from '../errors.ts';
import type { ContentEvents } from './content-events.ts';
import { BoundDevices, DEVICE_MODELS, DEVICES, type DeviceListener } from './bound-devices.ts';
import { BoundPods } from './bound-pods.ts';
import type { ComparedResource } from './catch-up.ts';
import { EdgeNodes, isLabelled } from './edge-nodes.ts';
import type { FeedMember } from './feed-sequence.ts';
import { record } from './json-reader.ts';
import type { NodeScope, ScopeHost } from './node-scope.ts';
import type { OwnObjects } from './own-objects.ts';
import { isObjectName, resourceName } from './object-key.ts';
import type { ObjectRecord } from './object-record.ts';
import { ReferencedObjects, type ReferencedObjectsOptions } from './referenced-objects.ts';
import { ResourceFeed, type FeedSettings, type FeedSink } from './resource-feed.ts';
import { SharedObjects, type SharedResource } from './shared-objects.ts';

/** What {@link CacheTables} needs. */
export interface CacheTablesOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly resources: readonly SharedResource[];
  /** What nodes get of the hub's own. */
  readonly own: OwnObjects;
  /** What a scope asks of whoever owns the tables. */
  readonly host: Pick<ScopeHost, 'synced' | 'stamp' | 'catchUp' | 'schedule' | 'listenerFailed'>;
  readonly events: ContentEvents;
  /** Has {@link CacheTables.fetch} called, soon; again after a failure. */
  readonly enqueue: (fetch: string) => void;
  readonly onPod: (namespace: string, name: string) => void;
  readonly onNode: (name: string) => void;
  readonly onDevice: DeviceListener;
}

/** What pods name, directly or through a claim. */
const REFERENCED: readonly ApiResource[] = [
  RESOURCES.configmaps,
  RESOURCES.secrets,
  RESOURCES.serviceaccounts,
  RESOURCES.persistentvolumeclaims,
  RESOURCES.persistentvolumes,
];
/** Begins what {@link CacheTables.fetch} is given for the pods of a node; anything else is a key. */
const PODS_OF = 'pods-of:';

/**
 * Everything that is kept, by resource, and who is to have it. 1. Nodes decide which are edge nodes. 2. Pods that are
 * bound to those are kept, and devices. 3. What they name is kept too.
 */
export class CacheTables implements ScopeHost {
  readonly edges: EdgeNodes;
  readonly pods: BoundPods;
  readonly devices: BoundDevices;
  readonly #options: CacheTablesOptions;
  readonly #nodes: ReferencedObjects;
  readonly #models: ReferencedObjects;
  readonly #shared: readonly SharedObjects[];
  /** By resource, nodes and models among them. */
  readonly #referenced = new Map<string, ReferencedObjects>();
  /** Configured resources that a node's labels give it. */
  readonly #rules = new WeakMap<NodeScope, readonly SharedObjects[]>();

  /** @throws CloudCoreError `ERR_CLOUDCORE_RESOURCE`; StatusError BadRequest for a selector that cannot be read */
  constructor(options: CacheTablesOptions) {
    this.#options = options;
    const { client, clock, events, enqueue, onPod, onNode, onDevice, resources } = options;
    const resolve = (key: ContentKey): ObjectRecord | undefined => this.#resolve(key);
    this.edges = new EdgeNodes({
      ...{ host: this, onNode },
      resolve: (key) => this.#nodes.resolve(key),
      podCount: (scope) => this.pods.count(scope),
      onEnter: (scope) => this.#onEnter(scope),
      onLeave: (scope) => this.#onLeave(scope),
      onFacts: (scope) => this.#applyRules(scope),
    });
    this.pods = new BoundPods({
      ...{ client, events, resolve, onPod },
      scope: (node) => this.edges.get(node),
      enqueue: (node) => enqueue(PODS_OF + node),
      onEmpty: (scope) => this.edges.evaluate(scope),
    });
    this.devices = new BoundDevices({
      ...{ client, clock, events, resolve, listener: onDevice },
      scope: (node) => this.edges.ensure(node),
      onReleased: (scope) => this.edges.forgetUnused(scope),
    });
    const onSeen = (key: ContentKey, node: KubeObject | undefined): void => this.edges.seen(key, node);
    this.#nodes = this.#table({ resource: RESOURCES.nodes, admits: isLabelled, onSeen });
    for (const resource of REFERENCED) {
      const isClaims = resource === RESOURCES.persistentvolumeclaims;
      this.#table({ resource, ...(isClaims && { references: volumeOf }) });
    }
    this.#models = this.#table({ resource: DEVICE_MODELS });
    this.#shared = resources.map((resource) => this.#sharedObjects(resource));
  }

  get synced(): boolean {
    return this.#options.host.synced && this.#options.own.ready;
  }

  /** A feed for each table, in stages: the tables of one decide what those of the next keep. */
  stages(settings: FeedSettings): readonly (readonly FeedMember[])[] {
    const { pods, devices } = this;
    const named = [...this.#referenced.values()].filter(
      (table) => table !== this.#nodes && table !== this.#models,
    );
    const optional = { onNotServed: (): void => {} };
    return [
      [this.#member(RESOURCES.nodes, this.#nodes, settings)],
      [
        this.#member(RESOURCES.pods, pods, settings),
        { feed: new ResourceFeed(DEVICES, devices, settings), kept: devices.table, ...optional },
      ],
      [
        ...named.map((table) => this.#member(table.resource, table, settings)),
        {
          ...this.#member(DEVICE_MODELS, this.#models, settings),
          onNotServed: () => this.#models.notServed(),
        },
        ...this.#shared.map((objects) => ({
          feed: new ResourceFeed(objects.resource, objects, settings),
          kept: objects,
          ...optional,
        })),
      ],
    ];
  }

  /** What is compared with the API server when the feed of a resource lags. */
  compared(resource: string): ComparedResource {
    const table = this.#referenced.get(resource) ?? this.#shared.find(({ name }) => name === resource);
    if (table !== undefined) return named(resource, table);
    return named(resource, resource === 'pods' ? this.pods : this.devices);
  }

  /** Does what was enqueued. Errors: those of `ApiClient`, but NotFound; the caller tries again. */
  fetch(what: string, signal: AbortSignal): Promise<void> {
    if (what.startsWith(PODS_OF)) return this.pods.fetch(what.slice(PODS_OF.length), signal);
    return this.#referenced.get(parseKey(what).resource)?.fetch(what, signal) ?? Promise.resolve();
  }

  /** The resource that a fetch asks for. */
  fetched(what: string): string {
    return what.startsWith(PODS_OF) ? 'pods' : parseKey(what).resource;
  }

  find(key: ContentKey): ObjectRecord | undefined {
    const { resource } = parseKey(key);
    if (resource === 'pods') return this.pods.table.get(key);
    if (resource === this.devices.table.resource) return this.devices.table.get(key);
    return this.#referenced.get(resource)?.table.get(key);
  }

  *shared(scope: NodeScope): Generator<Content> {
    for (const objects of this.#rules.get(scope) ?? []) yield* objects.contents();
    const own = this.#ownOf(scope);
    if (own !== undefined) yield own;
  }

  sharedContent(scope: NodeScope, key: ContentKey): Content | undefined {
    const own = this.#ownOf(scope);
    if (own?.key === key) return own;
    const { resource } = parseKey(key);
    return this.#rules
      .get(scope)
      ?.find(({ name }) => name === resource)
      ?.get(key);
  }

  stamp(): Uint8Array {
    return this.#options.host.stamp();
  }

  catchUp(scope: NodeScope, signal: AbortSignal): Promise<void> {
    return this.#options.host.catchUp(scope, signal);
  }

  schedule(scope: NodeScope): void {
    this.#options.host.schedule(scope);
  }

  listenerFailed(scope: NodeScope, error: unknown): void {
    this.#options.host.listenerFailed(scope, error);
  }

  /** Gives up what is under way. */
  close(reason: Error): void {
    this.devices.close(reason);
    for (const objects of this.#shared) objects.close(reason);
  }

  #ownOf(scope: NodeScope): Content | undefined {
    return scope.edge ? this.#options.own.of(scope.name) : undefined;
  }

  #table(
    options: Pick<ReferencedObjectsOptions, 'resource' | 'admits' | 'references' | 'onSeen'>,
  ): ReferencedObjects {
    const { client, events, enqueue } = this.#options;
    const resolve = (key: ContentKey): ObjectRecord | undefined => this.#resolve(key);
    const table = new ReferencedObjects({ client, events, enqueue, resolve, ...options });
    this.#referenced.set(table.table.resource, table);
    return table;
  }

  #sharedObjects(resource: SharedResource): SharedObjects {
    const { client, clock, events } = this.#options;
    const name = resourceName(resource);
    if (name === 'pods' || name === this.devices.table.resource || this.#referenced.has(name)) {
      const message = `${name} go to the nodes that need them, and cannot be configured to go to others`;
      throw new CloudCoreError('ERR_CLOUDCORE_RESOURCE', message, { about: name });
    }
    const objects: SharedObjects = new SharedObjects(resource, {
      ...{ client, clock, events },
      scopes: () => this.#scopesOf(objects),
    });
    return objects;
  }

  #member<E>(
    resource: ApiResource,
    table: FeedSink<E> & {
      readonly table: { readonly objects: number; readonly bytes: number };
      attach(feed: { readonly listsBegun: number }): void;
    },
    settings: FeedSettings,
  ): FeedMember {
    const feed = new ResourceFeed(resource, table, settings);
    table.attach(feed);
    return { feed, kept: table.table };
  }

  #resolve(key: ContentKey): ObjectRecord | undefined {
    return this.#referenced.get(parseKey(key).resource)?.resolve(key);
  }

  #onEnter(scope: NodeScope): void {
    this.pods.enter(scope);
    this.#applyRules(scope);
    this.#touchOwn(scope);
  }

  #onLeave(scope: NodeScope): void {
    this.pods.leave(scope);
    this.#applyRules(scope);
    this.#touchOwn(scope);
  }

  #touchOwn(scope: NodeScope): void {
    const own = this.#options.own.of(scope.name);
    if (own !== undefined) scope.touched(own.key);
  }

  /** Labels have changed, and with them which configured resources the node gets. */
  #applyRules(scope: NodeScope): void {
    if (this.#shared.length === 0) return;
    const before = this.#rules.get(scope) ?? [];
    const labels = this.edges.facts(scope.name)?.labels;
    const after = scope.edge ? this.#shared.filter((objects) => objects.matches(labels)) : [];
    this.#rules.set(scope, after);
    for (const objects of this.#shared) {
      if (before.includes(objects) === after.includes(objects)) continue;
      for (const { key } of objects.contents()) scope.touched(key);
    }
  }

  *#scopesOf(objects: SharedObjects): Generator<NodeScope> {
    for (const scope of this.edges.scopes())
      if (this.#rules.get(scope)?.includes(objects) === true) yield scope;
  }
}

function named(name: string, table: Pick<ComparedResource, 'agrees'>): ComparedResource {
  return { name, agrees: (scope, signal) => table.agrees(scope, signal) };
}

/** The volume that a claim is bound to. */
function volumeOf(claim: KubeObject): readonly ContentKey[] {
  const { volumeName } = record(claim['spec']);
  return isObjectName(volumeName) ? [formatKey('persistentvolumes', '', volumeName)] : [];
}
