import type { ToldChange } from './change-history.ts';
import { FilteredEntry, type EntryFilter, type ObjectPlace } from './entry-filter.ts';
import { ENDPOINTS_FORM, SLICE_FORM, type EndpointsForm } from './filtered-endpoints.ts';
import type { LocalEntry } from './local-entry.ts';
import type { EndpointPlace, NodePlaces } from './node-places.ts';
import type { ResourceState } from './resource-state.ts';
import type { ServiceId, ServiceTopologies } from './service-topologies.ts';

/** What a {@link TopologyFilter} is made of. */
export interface TopologyFilterOptions {
  readonly resource: 'endpointslices' | 'endpoints';
  readonly topologies: ServiceTopologies;
  readonly places: NodePlaces;
}

const SERVICE_LABEL = 'kubernetes.io/service-name';

/** An object of a Service that has topology keys. */
interface Member extends ObjectPlace {
  readonly endpoints: readonly EndpointPlace[];
}

/**
 * Shows those endpoints of a Service that its topology keys want at this node: those of the first key that any ready one
 * is at, over all slices of the Service. What names no node is at `*` only. Source: OpenYurt, service topology; the order
 * of keys is that of Kubernetes' former `topologyKeys`.
 */
export class TopologyFilter implements EntryFilter {
  readonly #form: EndpointsForm;
  readonly #options: TopologyFilterOptions;
  /** Of Services that have keys. */
  readonly #members = new Map<ServiceId, Map<string, Member>>();
  #base: ResourceState | undefined;

  constructor(options: TopologyFilterOptions) {
    this.#options = options;
    this.#form = options.resource === 'endpoints' ? ENDPOINTS_FORM : SLICE_FORM;
  }

  begin(base: ResourceState): void {
    this.#base = base;
    this.#members.clear();
    for (const entry of base.entries()) this.#add(entry);
  }

  changed({ now, before }: ToldChange): Iterable<ObjectPlace> {
    const entry = now ?? before;
    if (entry === undefined) return [];
    const services = new Set<ServiceId>();
    for (const one of [before, now]) if (one !== undefined) services.add(this.#serviceOf(one));
    for (const service of services) this.#members.get(service)?.delete(idOf(entry));
    if (now !== undefined) this.#add(now);
    // Another key may count for all that the Service has.
    return [...services].flatMap((service) => {
      const keys = this.#options.topologies.keysOf(service);
      return keys === undefined || keys.length < 2 ? [] : [...(this.#members.get(service)?.values() ?? [])];
    });
  }

  show(entry: LocalEntry): LocalEntry {
    const service = this.#serviceOf(entry);
    const keys = this.#options.topologies.keysOf(service);
    const member = this.#members.get(service)?.get(idOf(entry));
    if (keys === undefined || member === undefined) return entry;
    const key = this.#chosen(service, keys);
    const { places } = this.#options;
    const kept = new Set<number>();
    for (const [index, place] of member.endpoints.entries())
      if (key !== undefined && places.isAt(key, place)) kept.add(index);
    if (kept.size === member.endpoints.length) return entry;
    return new FilteredEntry(entry, `topology ${[...kept].join()}`, (object) =>
      this.#form.keep(object, (index) => kept.has(index)),
    );
  }

  listen(listener: (places: Iterable<ObjectPlace>) => void): () => void {
    const { topologies, places } = this.#options;
    const undo = [
      topologies.listen((services) => listener(services.flatMap((service) => this.#takeAll(service)))),
      places.listen(() => listener([...this.#members.values()].flatMap((members) => [...members.values()]))),
    ];
    return () => {
      for (const stop of undo) stop();
    };
  }

  /** Takes all that a Service has, or forgets it where it has no keys any more. Answers where it is. */
  #takeAll(service: ServiceId): readonly ObjectPlace[] {
    const before = [...(this.#members.get(service)?.values() ?? [])];
    this.#members.delete(service);
    if (this.#options.topologies.keysOf(service) === undefined) return before;
    for (const entry of this.#base?.entries() ?? []) if (this.#serviceOf(entry) === service) this.#add(entry);
    return [...(this.#members.get(service)?.values() ?? [])];
  }

  #add(entry: LocalEntry): void {
    const service = this.#serviceOf(entry);
    if (this.#options.topologies.keysOf(service) === undefined) return;
    const { namespace, name } = entry.key;
    const members = this.#members.get(service) ?? new Map<string, Member>();
    members.set(idOf(entry), { namespace, name, endpoints: this.#form.places(entry.object) });
    this.#members.set(service, members);
  }

  #chosen(service: ServiceId, keys: readonly string[]): string | undefined {
    if (keys.length === 1) return keys[0];
    const endpoints = [...(this.#members.get(service)?.values() ?? [])].flatMap((member) => member.endpoints);
    const { places } = this.#options;
    const at = (key: string, readyOnly: boolean): boolean =>
      endpoints.some((place) => (place.ready || !readyOnly) && places.isAt(key, place));
    return keys.find((key) => at(key, true)) ?? keys.find((key) => at(key, false));
  }

  #serviceOf({ key, labels }: LocalEntry): ServiceId {
    const name = this.#options.resource === 'endpoints' ? key.name : (labels[SERVICE_LABEL] ?? '');
    return `${key.namespace}/${name}`;
  }
}

function idOf({ key }: LocalEntry): string {
  return `${key.namespace}/${key.name}`;
}
