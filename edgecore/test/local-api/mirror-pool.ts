import type { Entry, MemoryStore, StoreWatch } from '@hawser/kube';
import {
  AUTHENTICATION_NAME,
  contentOf,
  POOL_RESOURCES,
  poolResourceName,
  type ClusterAuthentication,
  type Content,
  type ContentKey,
  type PoolChange,
  type PoolCommit,
  type PoolResource,
  type PoolView,
} from '@hawser/sync';
import type { PoolReader } from '../../src/pool/pool-types.ts';

/** A replica of one resource of a cluster that is always up to date, while it is not paused. */
class MirrorView implements PoolView {
  readonly scope: string;
  readonly stamp = new Uint8Array(1);
  ready = true;
  version: string;
  readonly #contents = new Map<ContentKey, Content>();
  readonly #listeners = new Set<(commit: PoolCommit) => void>();

  constructor(scope: string, version: number) {
    this.scope = scope;
    this.version = String(version);
  }

  get changed(): string {
    return this.version;
  }

  get size(): number {
    return this.#contents.size;
  }

  get(key: ContentKey): Content | undefined {
    return this.#contents.get(key);
  }

  contents(): Iterable<Content> {
    return this.#contents.values();
  }

  listen(listener: (commit: PoolCommit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  set(key: ContentKey, content: Content | undefined, version: string): void {
    const previous = this.#contents.get(key);
    if (content === undefined) this.#contents.delete(key);
    else this.#contents.set(key, content);
    this.version = version;
    const change: PoolChange = { key, content, previous };
    for (const listener of this.#listeners) listener({ scope: this.scope, version, changes: [change] });
  }
}

/** A pool whose leader hears a cluster without delay: what a member's replica would be. */
export class MirrorPool implements PoolReader {
  readonly pool = 'shop';
  readonly roster = undefined;
  cloud = true;
  readonly #store: MemoryStore;
  readonly #resources = new Map<string, PoolResource>();
  readonly #views = new Map<string, MirrorView>();
  readonly #watches: StoreWatch[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(store: MemoryStore) {
    this.#store = store;
    this.#views.set(POOL_RESOURCES.authentication, new MirrorView('pool/shop/auth', 1));
  }

  resources(): ReadonlyMap<string, PoolResource> {
    return this.#resources;
  }

  view(resource: string): MirrorView | undefined {
    return this.#views.get(resource);
  }

  overlay(): ReturnType<PoolReader['overlay']> {
    return new Map();
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to have a resource. */
  share(resource: PoolResource): void {
    const name = poolResourceName(resource);
    const { entries, resourceVersion } = this.#store.list(resource);
    const view = new MirrorView(`pool/shop/${name}`, resourceVersion);
    for (const entry of entries) view.set(...put(name, entry), String(resourceVersion));
    this.#resources.set(name, resource);
    this.#views.set(name, view);
    const watch = this.#store.watch(resource, { fromVersion: resourceVersion });
    this.#watches.push(watch);
    void this.#follow(name, view, watch);
    for (const listener of this.#listeners) listener();
  }

  /** What callers are known by. */
  authentication(spec: ClusterAuthentication): void {
    const content = contentOf(POOL_RESOURCES.authentication, {
      apiVersion: 'hawser.dev/v1',
      kind: 'ClusterAuthentication',
      metadata: { name: AUTHENTICATION_NAME },
      spec,
    });
    this.view(POOL_RESOURCES.authentication)?.set(content.key, content, '1');
  }

  stop(): void {
    for (const watch of this.#watches) watch.close();
  }

  async #follow(name: string, view: MirrorView, watch: StoreWatch): Promise<void> {
    for await (const { type, entry } of watch) {
      const [key, content] = put(name, entry);
      view.set(key, type === 'DELETED' ? undefined : content, String(entry.resourceVersion));
    }
  }
}

function put(name: string, { object }: Entry): [ContentKey, Content] {
  const content = contentOf(name, object);
  return [content.key, content];
}
