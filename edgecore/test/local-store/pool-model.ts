import {
  contentOf,
  DigestTree,
  parseKey,
  PoolStore,
  type Content,
  type ContentKey,
  type PoolResource,
  type PoolRoster,
  type PoolView,
  type ReplicaChange,
} from '@hawser/sync';
import type { PodAddress, PodPlaces, PoolReader } from '../../src/pool/pool-types.ts';

/** What the stamps of a {@link PoolModel} say. */
interface Stamp {
  readonly version: string;
  readonly digest: string;
  readonly life: string;
}

export const SLICES: PoolResource = {
  group: 'discovery.k8s.io',
  version: 'v1',
  resource: 'endpointslices',
  kind: 'EndpointSlice',
  namespaced: true,
};
export const SERVICES: PoolResource = {
  group: '',
  version: 'v1',
  resource: 'services',
  kind: 'Service',
  namespaced: true,
};
export const ENDPOINTS: PoolResource = {
  group: '',
  version: 'v1',
  resource: 'endpoints',
  kind: 'Endpoints',
  namespaced: true,
};

/** The name of a resource in keys. */
export function nameOf({ group, resource }: Pick<PoolResource, 'group' | 'resource'>): string {
  return group === '' ? resource : `${resource}.${group}`;
}

/** A cluster, and a member's replica of it, which is committed when the test says so. */
export class PoolModel implements PoolReader {
  pool = 'shop';
  roster: PoolRoster | undefined;
  cloud = true;
  version = 0;
  life = 'first';
  store = this.#makeStore();
  readonly shared = new Map<string, PoolResource>();
  /** What the cluster has, by resource. */
  readonly #objects = new Map<string, Map<ContentKey, Content>>();
  readonly #listeners = new Set<() => void>();
  #addresses: PodPlaces = new Map();

  constructor(...resources: readonly PoolResource[]) {
    for (const resource of resources) this.share(resource);
  }

  // ── as the member has it ───────────────────────────────────────────────────────────────────────────────────

  resources(): ReadonlyMap<string, PoolResource> {
    return this.shared;
  }

  view(resource: string): PoolView | undefined {
    return this.shared.has(resource) ? this.store.view(this.#scope(resource)) : undefined;
  }

  overlay(): PodPlaces {
    return this.cloud ? new Map() : this.#addresses;
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  // ── what a test does ───────────────────────────────────────────────────────────────────────────────────────

  share(resource: PoolResource): void {
    this.shared.set(nameOf(resource), resource);
  }

  /** Sets the addresses by the word of nodes; undefined: the cloud is heard. */
  offline(addresses: Readonly<Record<string, Partial<PodAddress>>> | undefined): void {
    this.cloud = addresses === undefined;
    this.#addresses = new Map(
      Object.entries(addresses ?? {}).map(([uid, address]) => [
        uid,
        [{ node: 'n1', ips: [], ready: true, ...address }],
      ]),
    );
    this.tell();
  }

  /** Writes an object in the cluster. */
  put(resource: PoolResource, namespace: string, name: string, fields: object = {}): Content {
    this.version += 1;
    const { metadata = {}, ...rest } = fields as { metadata?: object };
    const { group, version, kind } = resource;
    const content = contentOf(nameOf(resource), {
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind,
      metadata: {
        name,
        ...(namespace !== '' && { namespace }),
        uid: `uid-${name}`,
        resourceVersion: String(this.version),
        ...metadata,
      },
      ...rest,
    });
    this.#of(nameOf(resource)).set(content.key, content);
    return content;
  }

  /** Removes an object in the cluster. */
  remove(resource: PoolResource, namespace: string, name: string): void {
    this.version += 1;
    this.#of(nameOf(resource)).delete(`${nameOf(resource)}/${namespace}/${name}`);
  }

  /** What the cluster has of a resource. */
  objects(resource: PoolResource): readonly Content[] {
    return [...this.#of(nameOf(resource)).values()];
  }

  /** Brings the member's replica up to what the cluster has, in one commit. */
  async commit(resource: PoolResource, version = this.version): Promise<void> {
    const name = nameOf(resource);
    const scope = this.#scope(name);
    const there = this.store.entries(scope);
    const wanted = this.#of(name);
    const changes: ReplicaChange[] = [];
    for (const key of there.keys()) if (!wanted.has(key)) changes.push({ remove: key });
    for (const put of wanted.values()) if (there.get(put.key)?.hash !== put.hash) changes.push({ put });
    const digest = DigestTree.of([...wanted.values()].map(({ key, hash }) => [key, hash])).digest();
    const stamp: Stamp = {
      version: String(version),
      digest: Buffer.from(digest).toString('hex'),
      life: this.life,
    };
    await this.store.apply(scope, changes, {
      normalForm: 1,
      stamp: Buffer.from(JSON.stringify(stamp)),
    });
  }

  async commitAll(): Promise<void> {
    for (const resource of this.shared.values()) await this.commit(resource);
  }

  /** The member starts again from snapshots that it has taken before. */
  restart(snapshots: ReadonlyMap<string, Uint8Array>): void {
    this.store = this.#makeStore();
    for (const [scope, snapshot] of snapshots) this.store.restore(scope, snapshot);
  }

  snapshots(): ReadonlyMap<string, Uint8Array> {
    const snapshots = new Map<string, Uint8Array>();
    for (const name of this.shared.keys()) {
      const snapshot = this.store.snapshot(this.#scope(name));
      if (snapshot !== undefined) snapshots.set(this.#scope(name), snapshot);
    }
    return snapshots;
  }

  /** The cluster's objects begin anew. */
  wipe(): void {
    this.#objects.clear();
  }

  #scope(resource: string): string {
    return `pool/${this.pool}/${resource}`;
  }

  #of(name: string): Map<ContentKey, Content> {
    const present = this.#objects.get(name) ?? new Map<ContentKey, Content>();
    this.#objects.set(name, present);
    return present;
  }

  #makeStore(): PoolStore {
    return new PoolStore({
      check: (_, bytes) => {
        const { version, digest, life } = JSON.parse(Buffer.from(bytes).toString()) as Stamp;
        return { version, life, digest: Buffer.from(digest, 'hex') };
      },
    });
  }
}

/** `namespace/name` of a content. */
export function placeOf({ key }: Pick<Content, 'key'>): string {
  const { namespace, name } = parseKey(key);
  return `${namespace}/${name}`;
}
