import {
  CoreV1Api,
  DiscoveryV1Api,
  makeInformer,
  type KubeConfig,
  type KubernetesObject,
  type V1EndpointSlice,
  type V1Service,
} from '@kubernetes/client-node';
import type { EventLines } from './event-lines.ts';
import { keyOf, portRules, serviceKeyOf } from './proxy-objects.ts';
import { Ruleset } from './ruleset.ts';

/** Settings of {@link ProxyConsumer}. */
export interface ProxyConsumerOptions {
  readonly config: KubeConfig;
  readonly events: EventLines;
  /** Gives rules to whoever has them; they are given all again after a failure. */
  readonly apply: (rules: string) => Promise<void>;
}

/** Changes that come together are applied together, milliseconds. */
const GATHER_MS = 50;
/** An informer that has ended with an error is started again after this; a list that was refused, too. */
const AGAIN_MS = 500;

/**
 * What kube-proxy does with an API server, with the informers of the JavaScript client as they are: follows Services and
 * EndpointSlices, and keeps rules up with them. It has no knowledge of Hawser.
 */
export class ProxyConsumer {
  readonly #options: ProxyConsumerOptions;
  readonly #services = new Map<string, V1Service>();
  /** By Service, then by slice. */
  readonly #slices = new Map<string, Map<string, V1EndpointSlice>>();
  /** Which Service a slice was of. */
  readonly #owners = new Map<string, string>();
  readonly #dirty = new Set<string>();
  readonly #ruleset = new Ruleset();
  readonly #synced = new Set<string>();
  readonly #informers: { stop(): Promise<void> }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #applying = Promise.resolve();
  #stopped = false;

  constructor(options: ProxyConsumerOptions) {
    this.#options = options;
  }

  /** Begins; resolves at once. */
  start(): void {
    const { config } = this.#options;
    const core = config.makeApiClient(CoreV1Api);
    const discovery = config.makeApiClient(DiscoveryV1Api);
    this.#follow<V1Service>('services', '/api/v1/services', () => core.listServiceForAllNamespaces(), {
      put: (service) => this.#putService(service),
      remove: (service) => this.#removeService(service),
    });
    this.#follow<V1EndpointSlice>(
      'endpointslices',
      '/apis/discovery.k8s.io/v1/endpointslices',
      () => discovery.listEndpointSliceForAllNamespaces(),
      { put: (slice) => this.#putSlice(slice), remove: (slice) => this.#removeSlice(slice) },
    );
  }

  /** Ends; rules stay as they are. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#informers.map((informer) => informer.stop()));
    await this.#applying;
  }

  #follow<T extends KubernetesObject>(
    resource: string,
    path: string,
    list: Parameters<typeof makeInformer<T>>[2],
    sink: { readonly put: (object: T) => void; readonly remove: (object: T) => void },
  ): void {
    const { config, events } = this.#options;
    const informer = makeInformer<T>(config, path, list);
    this.#informers.push(informer);
    const seen = (event: 'add' | 'update' | 'delete', object: T): void => {
      events.say({ resource, event, key: keyOf(object), ...identityOf(object) });
      if (event === 'delete') sink.remove(object);
      else sink.put(object);
    };
    informer.on('add', (object) => seen('add', object));
    informer.on('update', (object) => seen('update', object));
    informer.on('delete', (object) => seen('delete', object));
    informer.on('connect', () => events.say({ resource, event: 'connect' }));
    let hasFailed = false;
    informer.on('error', (error: unknown) => {
      hasFailed = true;
      events.say({ resource, event: 'error', message: messageOf(error) });
      setTimeout(begin, AGAIN_MS);
    });
    const begin = (): void => {
      if (this.#stopped) return;
      hasFailed = false;
      // It resolves where its list has failed, too, and has said `error` then.
      void informer.start().then(
        () => {
          if (!hasFailed) this.#markSynced(resource);
        },
        (error: unknown) => {
          events.say({ resource, event: 'error', message: messageOf(error) });
          setTimeout(begin, AGAIN_MS);
        },
      );
    };
    begin();
  }

  #markSynced(resource: string): void {
    if (this.#synced.has(resource)) return;
    this.#synced.add(resource);
    this.#options.events.say({ resource, event: 'synced' });
    this.#schedule();
  }

  #putService(service: V1Service): void {
    this.#services.set(keyOf(service), service);
    this.#touch(keyOf(service));
  }

  #removeService(service: V1Service): void {
    this.#services.delete(keyOf(service));
    this.#touch(keyOf(service));
  }

  #putSlice(slice: V1EndpointSlice): void {
    this.#forgetSlice(keyOf(slice));
    const owner = serviceKeyOf(slice);
    if (owner === undefined) return;
    const slices = this.#slices.get(owner) ?? new Map<string, V1EndpointSlice>();
    slices.set(keyOf(slice), slice);
    this.#slices.set(owner, slices);
    this.#owners.set(keyOf(slice), owner);
    this.#touch(owner);
  }

  #removeSlice(slice: V1EndpointSlice): void {
    this.#forgetSlice(keyOf(slice));
  }

  #forgetSlice(key: string): void {
    const owner = this.#owners.get(key);
    if (owner === undefined) return;
    this.#owners.delete(key);
    const slices = this.#slices.get(owner);
    slices?.delete(key);
    if (slices?.size === 0) this.#slices.delete(owner);
    this.#touch(owner);
  }

  #touch(service: string): void {
    this.#dirty.add(service);
    this.#schedule();
  }

  #schedule(): void {
    // With half of the objects, rules would refuse clients of the other half.
    if (this.#synced.size < 2 || this.#stopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#applying = this.#applying.then(() => this.#applyChanges());
    }, GATHER_MS);
  }

  /** Never rejects. */
  async #applyChanges(): Promise<void> {
    const { apply, events } = this.#options;
    const changed = [...this.#dirty];
    this.#dirty.clear();
    for (const key of changed) {
      const service = this.#services.get(key);
      const slices = [...(this.#slices.get(key)?.values() ?? [])];
      this.#ruleset.put(key, service === undefined ? [] : portRules(service, slices));
    }
    const startedMs = performance.now();
    try {
      await apply(this.#ruleset.transaction());
      this.#ruleset.done(true);
      const tookMs = Math.round(performance.now() - startedMs);
      events.say({ resource: 'rules', event: 'applied', services: changed.length, tookMs });
    } catch (error) {
      this.#ruleset.done(false);
      events.say({ resource: 'rules', event: 'apply-failed', message: messageOf(error) });
      if (!this.#stopped) setTimeout(() => this.#schedule(), AGAIN_MS);
    }
  }
}

/** What tells one version of an object from all others. */
function identityOf({ metadata }: KubernetesObject): {
  readonly uid?: string;
  readonly resourceVersion?: string;
} {
  const uid = metadata?.uid;
  const resourceVersion = metadata?.resourceVersion;
  return { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
