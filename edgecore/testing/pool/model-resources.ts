import {
  contentOf,
  parsePoolScope,
  POOL_API_VERSION,
  POOL_RESOURCES,
  poolResourceName,
  poolStateKeys,
  rawPublicKey,
  signState,
  SOLO_PREFIX,
  stateSubject,
  type PoolResource,
  type PoolRoster,
} from '@hawser/sync';
import { MemoryScopeView } from '@hawser/sync/testing';

/** The life of the modelled cluster. */
export const MODEL_LIFE = { clusterUid: 'model-cluster', incarnation: 'first' } as const;

const KEYS = poolStateKeys(new Uint8Array(32).fill(7));
/** What states of the modelled cloud are signed with, raw, base64. */
export const MODEL_KEY = rawPublicKey(KEYS.publicKey);

/** Services and slices: what pools of the model share at first. */
export const MODEL_RESOURCES: readonly PoolResource[] = [
  { group: '', version: 'v1', resource: 'services', kind: 'Service', namespaced: true },
  {
    group: 'discovery.k8s.io',
    version: 'v1',
    resource: 'endpointslices',
    kind: 'EndpointSlice',
    namespaced: true,
  },
];

/** A state that the modelled cloud has signed. */
export interface ModelSigned {
  readonly scope: string;
  /** Of the cluster, as {@link ModelResources.incarnation}. */
  readonly incarnation: string;
  readonly version: string;
  readonly stamp: Uint8Array;
  readonly view: MemoryScopeView;
}

/** What the modelled API server had at a time, for {@link ModelResources.beginLife}. */
export interface ModelBackup {
  readonly version: number;
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, object>>;
}

/** What the modelled API server has of the resources of pools, with views of it that are signed as the hub signs them. */
export class ModelResources {
  readonly #views = new Map<string, { readonly view: MemoryScopeView; readonly resource: string }>();
  readonly #objects = new Map<string, Map<string, object>>();
  /** The present resourceVersion. */
  version = 1_000;
  /** The life of the cluster: another one after the API server was restored. */
  incarnation: string = MODEL_LIFE.incarnation;
  /** Hears of each state that is signed, once. */
  onSigned: ((signed: ModelSigned) => void) | undefined;

  /** The view of a scope without its kind: `<pool>/<resource>`. */
  view(name: string): MemoryScopeView {
    const known = this.#views.get(name);
    if (known !== undefined) return known.view;
    const { pool, resource } = parsePoolScope(name) ?? { pool: '', resource: '' };
    const cached = { at: -1, incarnation: '', stamp: new Uint8Array(0) };
    const view: MemoryScopeView = new MemoryScopeView({
      scope: `pool/${name}`,
      stamp: () => {
        const { incarnation } = this;
        if (cached.at === this.version && cached.incarnation === incarnation) return cached.stamp;
        const state = { version: String(this.version), digest: view.digest() };
        const subject = stateSubject(pool, resource);
        cached.stamp = signState(
          state,
          { ...MODEL_LIFE, incarnation, subject },
          KEYS.privateKey,
        ) as Uint8Array<ArrayBuffer>;
        cached.at = this.version;
        cached.incarnation = incarnation;
        const { stamp } = cached;
        this.onSigned?.({ scope: view.scope, incarnation, version: state.version, stamp, view });
        return cached.stamp;
      },
    });
    this.#views.set(name, { view, resource });
    if (resource !== POOL_RESOURCES.roster)
      for (const object of this.#objects.get(resource)?.values() ?? []) view.put(contentOf(resource, object));
    return view;
  }

  /** Writes an object: it is in all pools that share the resource. Answers its resourceVersion. */
  put(resource: string, name: string, spec: Readonly<Record<string, unknown>> = {}): string {
    this.version += 1;
    const resourceVersion = String(this.version);
    const object = { metadata: { name, namespace: 'default', resourceVersion }, spec };
    const objects = this.#objects.get(resource) ?? new Map<string, object>();
    objects.set(name, object);
    this.#objects.set(resource, objects);
    for (const known of this.#views.values())
      if (known.resource === resource) known.view.put(contentOf(resource, object));
    return resourceVersion;
  }

  /** Removes an object. */
  remove(resource: string, name: string): void {
    this.version += 1;
    this.#objects.get(resource)?.delete(name);
    for (const known of this.#views.values())
      if (known.resource === resource) known.view.remove(`${resource}/default/${name}`);
  }

  /** All that there is now, but rosters: those are made anew. */
  backup(): ModelBackup {
    const objects = new Map([...this.#objects].map(([resource, all]) => [resource, new Map(all)]));
    return { version: this.version, objects };
  }

  /** The API server is restored: it has what it had, and goes on from there under another name. */
  beginLife(incarnation: string, { version, objects }: ModelBackup): void {
    this.incarnation = incarnation;
    this.version = version;
    for (const [resource, present] of this.#objects) {
      const wanted = objects.get(resource) ?? new Map<string, object>();
      const views = [...this.#views.values()].filter((known) => known.resource === resource);
      for (const name of present.keys())
        if (!wanted.has(name)) for (const { view } of views) view.remove(`${resource}/default/${name}`);
      for (const object of wanted.values())
        for (const { view } of views) view.put(contentOf(resource, object));
      this.#objects.set(resource, new Map(wanted));
    }
  }

  /** Objects of a resource. */
  names(resource: string): readonly string[] {
    return [...(this.#objects.get(resource)?.keys() ?? [])].sort();
  }

  /** What members are told about each other. */
  putRoster(roster: PoolRoster): void {
    this.version += 1;
    const name = roster.pool;
    const resourceVersion = String(this.version);
    const object = {
      apiVersion: POOL_API_VERSION,
      kind: 'PoolRoster',
      metadata: { name, resourceVersion },
      spec: roster,
    };
    this.view(`${name}/${POOL_RESOURCES.roster}`).put(contentOf(POOL_RESOURCES.roster, object));
  }

  /** The roster of a node without a pool. */
  putSolo(node: string): void {
    const resources = MODEL_RESOURCES;
    const pool = SOLO_PREFIX + node;
    const member = { name: node, endpoint: '', zone: '', eligible: false };
    this.putRoster({
      pool,
      epoch: 0,
      leader: '',
      members: [member],
      resources,
      revoked: [],
      heartbeatSeconds: 5,
    });
  }
}

/** Names of resources as scopes have them. */
export function modelNames(resources: readonly PoolResource[]): readonly string[] {
  return [...resources.map(poolResourceName), POOL_RESOURCES.roster];
}
