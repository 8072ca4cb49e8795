import type { PoolView } from '@hawser/sync';
import type { LocalEntry } from './local-entry.ts';
import type { ResourceState } from './resource-state.ts';

/** Annotation of a Service: which endpoints are for a node. Source: OpenYurt, service topology. */
const ANNOTATION = 'openyurt.io/topologyKeys';

/** Where {@link ServiceTopologies} finds Services. */
export interface ServiceSource {
  /** What readers see; undefined: they are not here yet. */
  readonly state: () => ResourceState | undefined;
  /** Their replica; undefined: they are not shared. */
  readonly view: () => PoolView | undefined;
}

/** `namespace/name` of a Service. */
export type ServiceId = string;

/** Which Services have an annotation that says which of their endpoints are for a node. */
export class ServiceTopologies {
  readonly #services: ServiceSource;
  readonly #listeners = new Set<(services: readonly ServiceId[]) => void>();
  /** Until they are here. */
  #awaited: { readonly view: PoolView; readonly stop: () => void } | undefined;
  #followed: { readonly state: ResourceState; readonly stop: () => void } | undefined;
  #keys = new Map<ServiceId, readonly string[]>();

  constructor(services: ServiceSource) {
    this.#services = services;
  }

  /** What it says, the first key first; undefined: nothing. */
  keysOf(service: ServiceId): readonly string[] | undefined {
    return this.#keys.get(service);
  }

  /** Calls with Services whose annotation is another one. Answers how to stop. */
  listen(listener: (services: readonly ServiceId[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sees to it that it follows what is there now. */
  look(): void {
    const state = this.#services.state();
    this.#await(state === undefined ? this.#services.view() : undefined);
    if (state === this.#followed?.state) return;
    this.#followed?.stop();
    this.#followed = undefined;
    if (state !== undefined) {
      const stop = state.listen((news) => {
        if (news.type === 'changes') {
          for (const { now, before } of news.changes) this.#changed(now, before);
        } else if (news.type === 'restart') this.#takeAll(state);
        else this.#followed = undefined;
      });
      this.#followed = { state, stop };
    }
    this.#takeAll(state);
  }

  stop(): void {
    this.#await(undefined);
    this.#followed?.stop();
    this.#followed = undefined;
  }

  /** The first commit of a replica makes it one that can be read. */
  #await(view: PoolView | undefined): void {
    if (view === this.#awaited?.view) return;
    this.#awaited?.stop();
    this.#awaited = view && { view, stop: view.listen(() => this.look()) };
  }

  #takeAll(state: ResourceState | undefined): void {
    const before = this.#keys;
    const now = new Map<ServiceId, readonly string[]>();
    for (const entry of state?.entries() ?? []) {
      const keys = keysIn(entry);
      if (keys !== undefined) now.set(idOf(entry), keys);
    }
    this.#keys = now;
    const services = [...new Set([...before.keys(), ...now.keys()])];
    this.#tell(services.filter((service) => before.get(service)?.join() !== now.get(service)?.join()));
  }

  #changed(now: LocalEntry | undefined, before: LocalEntry | undefined): void {
    const entry = now ?? before;
    if (entry === undefined) return;
    const service = idOf(entry);
    const keys = now === undefined ? undefined : keysIn(now);
    if (keys?.join() === this.#keys.get(service)?.join()) return;
    if (keys === undefined) this.#keys.delete(service);
    else this.#keys.set(service, keys);
    this.#tell([service]);
  }

  #tell(services: readonly ServiceId[]): void {
    if (services.length === 0) return;
    for (const listener of [...this.#listeners]) listener(services);
  }
}

function idOf({ key }: LocalEntry): ServiceId {
  return `${key.namespace}/${key.name}`;
}

function keysIn({ annotations }: LocalEntry): readonly string[] | undefined {
  const keys = (annotations[ANNOTATION] ?? '').split(',').map((key) => key.trim());
  const named = keys.filter((key) => key !== '');
  return named.length === 0 ? undefined : named;
}
