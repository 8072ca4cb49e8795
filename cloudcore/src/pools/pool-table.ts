import type { ApiClient, ApiResource, KubeObject, ReflectorMetrics } from '@hawser/kube';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { ClusterView, NodeFacts } from '../cache/cluster-view.ts';
import { listObjects } from '../cache/list-objects.ts';
import { poolLabel } from '../upstream/node-labels.ts';
import { NODE_POOL_VERSIONS, readNodePool, type NodePool } from './node-pool.ts';
import { ServedFeed } from './served-feed.ts';

/** What is known of a node's standing, from its record: see `HubIdentity`. */
export interface NodeStandings {
  /** Whether the node was revoked and has not joined since. */
  isOut(node: string): boolean;
  /** Calls with the name of each node whose record is another. Answers how to stop. */
  onRecord(listener: (node: string) => void): () => void;
}

/** Hears of what changes in a {@link PoolTable}. */
export interface PoolTableListener {
  /** A NodePool is another one, or gone. */
  pool(name: string): void;
  /** What is known of a node with the label of a pool is another. */
  member(pool: string, node: string): void;
  /** The pool of a node is another one, or it is known now that it has none. */
  node(name: string): void;
}

/** Settings of {@link PoolTable}. */
export interface PoolTableOptions {
  readonly client: ApiClient;
  readonly view: Pick<ClusterView, 'node' | 'onNode'>;
  readonly standings: NodeStandings;
  readonly listener: PoolTableListener;
  readonly onOlderList: (resource: string, from: string, to: string) => void;
  readonly onState: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly reflectorMetrics?: ReflectorMetrics;
  readonly presenceIntervalMs?: number;
}

interface Known {
  readonly pool: NodePool;
  readonly version: string;
}

/**
 * Which pools there are, and who is in them: NodePools, and edge nodes by their labels. A node whose label names no
 * NodePool, or one that shares nothing, is in none; so is one that was revoked.
 */
export class PoolTable {
  readonly #options: PoolTableOptions;
  readonly #feed: ServedFeed<Known>;
  readonly #pools = new Map<string, Known>();
  /** Label of each edge node whose Node is known, `''`: none. */
  readonly #labels = new Map<string, string>();
  readonly #members = new Map<string, Set<string>>();
  /** Those of them that are revoked: to look it up in their records costs a hash each. */
  readonly #out = new Set<string>();
  #stopListening: (() => void)[] | undefined;

  constructor(options: PoolTableOptions) {
    this.#options = options;
    const { client, clock, random, log, reflectorMetrics, presenceIntervalMs } = options;
    this.#feed = new ServedFeed<Known>({
      ...{ client, clock, random, log, wanted: NODE_POOL_VERSIONS },
      ...(reflectorMetrics && { metrics: reflectorMetrics }),
      ...(presenceIntervalMs !== undefined && { presenceIntervalMs }),
      sink: {
        prepare: (object) => known(object),
        put: (entry) => this.#put(entry),
        replace: (entries) => this.#replace(entries),
        remove: ({ metadata: { name = '' } }) => this.#remove(name),
      },
      onGone: () => {
        for (const name of [...this.#pools.keys()]) this.#remove(name);
      },
      onState: () => {
        if (this.#feed.state === 'refused')
          log.error(
            {},
            'the hub may not read NodePools: there are no pools until `hawser init` was run again',
          );
        options.onState();
      },
      onRollback: options.onOlderList,
    });
  }

  /** Whether all pools are known: also where there is no definition of them, or the hub may not read them. */
  get decided(): boolean {
    return this.#feed.state !== 'looking';
  }

  /** The last version that was seen; `''`: none. */
  get lastVersion(): string {
    return this.#feed.lastVersion;
  }

  /** As the API server serves NodePools; undefined: it does not. */
  get resource(): ApiResource | undefined {
    return this.#feed.resource;
  }

  names(): readonly string[] {
    return [...this.#pools.keys()];
  }

  pool(name: string): NodePool | undefined {
    return this.#pools.get(name)?.pool;
  }

  /** Nodes of a pool that share, in order of their names. */
  members(pool: string): readonly string[] {
    if (this.pool(pool)?.shares !== true) return [];
    return this.#labelled(pool).filter((node) => !this.#out.has(node));
  }

  /** All nodes with the label of a pool, in order of their names. */
  labelled(pool: string): readonly string[] {
    return this.#labelled(pool);
  }

  facts(node: string): NodeFacts | undefined {
    return this.#options.view.node(node);
  }

  /** The pool that a node is in; `''`: none; undefined: its Node is not known. */
  poolOf(node: string): string | undefined {
    const label = this.#labels.get(node);
    if (label === undefined || label === '') return label;
    const isMember = this.pool(label)?.shares === true && !this.#out.has(node);
    return isMember ? label : '';
  }

  /** Begins. Before the view does, so that it hears of every node. */
  start(): void {
    const { view, standings } = this.#options;
    this.#stopListening ??= [
      view.onNode((name) => this.#onNode(name)),
      standings.onRecord((name) => this.#onRecord(name)),
    ];
    this.#feed.start();
  }

  relist(): void {
    this.#feed.relist();
  }

  /** Whether the NodePools that are known are those of the API server. Errors: those of `ApiClient`. */
  async agrees(signal: AbortSignal): Promise<boolean> {
    const { resource } = this.#feed;
    if (resource === undefined) return true;
    let count = 0;
    for await (const { metadata } of listObjects(
      this.#options.client,
      resource,
      { metadataOnly: true },
      signal,
    )) {
      count += 1;
      if (this.#pools.get(metadata.name ?? '')?.version !== metadata.resourceVersion) return false;
    }
    return count === this.#pools.size;
  }

  /** Resolves when nothing is open any more. Idempotent. */
  async stop(): Promise<void> {
    for (const stopListening of this.#stopListening ?? []) stopListening();
    this.#stopListening = [];
    await this.#feed.stop();
  }

  #labelled(pool: string): readonly string[] {
    return [...(this.#members.get(pool) ?? [])].sort();
  }

  #put(entry: Known): void {
    const { name } = entry.pool;
    const before = this.#pools.get(name);
    this.#pools.set(name, entry);
    this.#options.listener.pool(name);
    if (before?.pool.shares !== entry.pool.shares) this.#tellMembers(name);
  }

  #replace(entries: Iterable<Known>): void {
    const listed = new Set<string>();
    for (const entry of entries) {
      listed.add(entry.pool.name);
      this.#put(entry);
    }
    for (const name of [...this.#pools.keys()]) if (!listed.has(name)) this.#remove(name);
  }

  #remove(name: string): void {
    if (!this.#pools.delete(name)) return;
    this.#options.listener.pool(name);
    this.#tellMembers(name);
  }

  #tellMembers(pool: string): void {
    for (const node of this.#members.get(pool) ?? []) this.#options.listener.node(node);
  }

  #onNode(node: string): void {
    const { listener } = this.#options;
    const facts = this.facts(node);
    const before = this.#labels.get(node);
    const label = facts && (poolLabel(facts.labels) ?? '');
    if (label !== before) {
      this.#move(node, before, label);
      listener.node(node);
    }
    for (const pool of new Set([before, label]))
      if (pool !== undefined && pool !== '') listener.member(pool, node);
  }

  #move(node: string, from: string | undefined, to: string | undefined): void {
    const members = from === undefined ? undefined : this.#members.get(from);
    members?.delete(node);
    if (from !== undefined && members?.size === 0) this.#members.delete(from);
    if (to === undefined) {
      this.#labels.delete(node);
      this.#out.delete(node);
      return;
    }
    this.#labels.set(node, to);
    this.#judge(node);
    if (to === '') return;
    const joined = this.#members.get(to) ?? new Set();
    joined.add(node);
    this.#members.set(to, joined);
  }

  #judge(node: string): void {
    if (this.#options.standings.isOut(node)) this.#out.add(node);
    else this.#out.delete(node);
  }

  #onRecord(node: string): void {
    const label = this.#labels.get(node);
    if (label === undefined || label === '') return;
    this.#judge(node);
    this.#options.listener.node(node);
    this.#options.listener.member(label, node);
  }
}

function known(object: KubeObject): Known {
  return { pool: readNodePool(object), version: object.metadata.resourceVersion ?? '' };
}
