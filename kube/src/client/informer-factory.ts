import { setMaxListeners } from 'node:events';
import type { ApiClient } from './api-client.ts';
import { resourcePath, type ApiResource } from './api-resource.ts';
import { objectInformer, type Informer, type InformerOptions } from './informer.ts';
import { resourceListerWatcher, type ListerWatcher, type ListerWatcherScope } from './lister-watcher.ts';
import type { KubeObject } from '../meta/object.ts';

/** Settings that all informers of a factory have in common. */
export type InformerDefaults = Omit<
  InformerOptions<KubeObject>,
  'transform' | 'name' | 'listerWatcher' | 'indexers'
>;

/** Makes the lister-watcher of a resource's objects. */
export type ListerWatcherSource = (resource: ApiResource, scope: ListerWatcherScope) => ListerWatcher;

/**
 * One informer, and so one watch and one copy of the objects, for each resource and selection, however many ask for
 * it. Source: client-go informers SharedInformerFactory.
 */
export class InformerFactory {
  readonly #source: ListerWatcherSource;
  readonly #defaults: InformerDefaults;
  readonly #informers = new Map<string, Informer>();

  /** `source`: a client of the API server, or what makes a lister-watcher for each resource and selection. */
  constructor(source: ApiClient | ListerWatcherSource, defaults: InformerDefaults = {}) {
    this.#source =
      typeof source === 'function'
        ? source
        : (resource, scope) => resourceListerWatcher(source, resource, scope);
    this.#defaults = defaults;
  }

  /** The informer of these objects; the same at every call. Start it with {@link start}, at any time. */
  informer(resource: ApiResource, scope: ListerWatcherScope = {}): Informer {
    const { namespace, labelSelector = '', fieldSelector = '' } = scope;
    const key = JSON.stringify([resourcePath(resource, { namespace }), labelSelector, fieldSelector]);
    let informer = this.#informers.get(key);
    if (informer === undefined) {
      const listerWatcher = this.#source(resource, scope);
      informer = objectInformer({ ...this.#defaults, name: resource.resource, listerWatcher });
      this.#informers.set(key, informer);
    }
    return informer;
  }

  /** Starts those that have been asked for so far. */
  start(): void {
    for (const informer of this.#informers.values()) informer.start();
  }

  /** Resolves when all that have been asked for so far are synced. Errors: see `Informer.waitForSync`. */
  async waitForSync(signal?: AbortSignal): Promise<void> {
    const informers = [...this.#informers.values()];
    const own = AbortSignal.any(signal === undefined ? [] : [signal]);
    setMaxListeners(informers.length + 1, own); // each of them listens, which Node would take for a leak
    await Promise.all(informers.map((informer) => informer.waitForSync(own)));
  }

  /** Stops all. Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.stop()));
  }
}
