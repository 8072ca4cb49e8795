import type {
  Entry,
  EntryList,
  GroupResource,
  ObjectKey,
  ObjectStore,
  Scope,
  StoreWatch,
} from '@hawser/kube';
import { methodNotAllowed, serviceUnavailable } from '@hawser/kube';
import { poolResourceName } from '@hawser/sync';
import { ApiServerFilter, type ApiAddress } from './api-server-filter.ts';
import type { EntryFilter } from './entry-filter.ts';
import { FilteredState } from './filtered-state.ts';
import type { LocalStore } from './local-store.ts';
import { NodePlaces } from './node-places.ts';
import type { ResourceState } from './resource-state.ts';
import { ServiceTopologies } from './service-topologies.ts';
import { TopologyFilter } from './topology-filter.ts';

/** Ways in which some clients are shown what there is. docs/pool.md, "Filters". */
export const FILTER_NAMES = ['topology', 'api-server'] as const;
/** One of {@link FILTER_NAMES}. */
export type FilterName = (typeof FILTER_NAMES)[number];

/** What filters go by. One object for all calls: stores are kept by it. */
export interface FilterContext {
  readonly node: string;
  /** Where pods reach the local API; undefined while there is none. */
  readonly api: () => ApiAddress | undefined;
}

const stores = new WeakMap<LocalStore, WeakMap<FilterContext, Map<string, FilteredStore>>>();

/**
 * The local store as some clients see it; the store itself where there are no filters. The same answer for the same
 * store, names and context: clients go on where they were. It lives as long as the store.
 */
export function filteredStore(
  store: LocalStore,
  names: readonly FilterName[],
  context: FilterContext,
): ObjectStore {
  const wanted = FILTER_NAMES.filter((name) => names.includes(name));
  if (wanted.length === 0) return store;
  const byContext = stores.get(store) ?? new WeakMap<FilterContext, Map<string, FilteredStore>>();
  stores.set(store, byContext);
  const byNames = byContext.get(context) ?? new Map<string, FilteredStore>();
  byContext.set(context, byNames);
  const present = byNames.get(wanted.join());
  if (present !== undefined) return present;
  const made = new FilteredStore(store, wanted, context);
  byNames.set(wanted.join(), made);
  return made;
}

/** Which filters have to do with which resource. */
const FILTERED: Readonly<Record<string, readonly FilterName[]>> = {
  'endpointslices.discovery.k8s.io': ['topology', 'api-server'],
  endpoints: ['topology', 'api-server'],
  services: ['api-server'],
};
const SERVICES: GroupResource = { group: '', resource: 'services' };

class FilteredStore implements ObjectStore {
  readonly #store: LocalStore;
  readonly #names: readonly FilterName[];
  readonly #context: FilterContext;
  readonly #topologies: ServiceTopologies;
  readonly #places: NodePlaces;
  readonly #states = new Map<string, FilteredState>();

  constructor(store: LocalStore, names: readonly FilterName[], context: FilterContext) {
    this.#store = store;
    this.#names = names;
    this.#context = context;
    this.#topologies = new ServiceTopologies({
      state: () => store.stateOf(SERVICES),
      view: () => store.pool.view('services'),
    });
    this.#places = new NodePlaces(context.node, store.pool);
    if (!names.includes('topology')) return;
    this.#places.start();
    const unlisten = store.pool.listen(() => this.#topologies.look());
    store.onClose(() => {
      unlisten();
      this.#places.stop();
      this.#topologies.stop();
    });
  }

  get resourceVersion(): number {
    return this.#store.resourceVersion;
  }

  get oldestWatchVersion(): number {
    return this.#store.oldestWatchVersion;
  }

  versionOf(resource: GroupResource): number {
    return this.#state(resource)?.version ?? 0;
  }

  get(key: ObjectKey): Entry | undefined {
    return this.#state(key)?.get(key.namespace, key.name);
  }

  list(scope: Scope, options: { atVersion?: number } = {}): EntryList {
    return this.#needed(scope)?.list(scope.namespace, options.atVersion) ?? this.#store.list(scope, options);
  }

  watch(scope: Scope, options: { fromVersion: number; limitEvents?: number }): StoreWatch {
    return this.#needed(scope)?.watch(scope, options) ?? this.#store.watch(scope, options);
  }

  create(): Promise<Entry> {
    return Promise.reject(methodNotAllowed());
  }

  update(): Promise<Entry> {
    return Promise.reject(methodNotAllowed());
  }

  delete(): Promise<Entry> {
    return Promise.reject(methodNotAllowed());
  }

  /** The local store is closed by whoever has it. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** undefined: it is shown as it is. @throws StatusError ServiceUnavailable */
  #needed(resource: GroupResource): ResourceState | undefined {
    if (this.#filtersOf(poolResourceName(resource)).length === 0) return undefined;
    const state = this.#state(resource);
    if (state !== undefined) return state;
    throw serviceUnavailable(`${resource.resource} are not to be had at this node now`);
  }

  #filtersOf(name: string): readonly FilterName[] {
    return (FILTERED[name] ?? []).filter((filter) => this.#names.includes(filter));
  }

  #state(resource: GroupResource): ResourceState | undefined {
    const base = this.#store.stateOf(resource);
    const name = poolResourceName(resource);
    const filters = this.#filtersOf(name);
    if (base === undefined || filters.length === 0) return base;
    this.#topologies.look();
    const present = this.#states.get(name);
    if (present?.base === base) return present.state;
    present?.end();
    const made = new FilteredState({
      base,
      filters: filters.map((filter) => this.#made(filter, resource.resource)),
      version: this.#store.ownVersion(),
      clock: this.#store.clock,
    });
    this.#states.set(name, made);
    return made.state;
  }

  #made(filter: FilterName, resource: string): EntryFilter {
    const [topologies, places] = [this.#topologies, this.#places];
    // FILTERED has no other resources.
    if (filter === 'api-server')
      return new ApiServerFilter(resource as 'services' | 'endpointslices' | 'endpoints', this.#context.api);
    return new TopologyFilter({
      ...{ topologies, places },
      resource: resource as 'endpointslices' | 'endpoints',
    });
  }
}
