import type { RequestInfo } from '@hawser/kube';
import { poolResourceName } from '@hawser/sync';
import type { PoolReader } from '../pool/pool-types.ts';
import type { LocalObjects } from './local-objects.ts';
import type { LocalRegistry } from './local-registry.ts';

/** What a {@link RequestPlace} goes by. */
export interface RequestPlaceOptions {
  readonly pool: Pick<PoolReader, 'resources'>;
  readonly objects: LocalObjects;
  readonly registry: LocalRegistry;
}

const READS: readonly string[] = ['get', 'list', 'watch'];

/** Tells requests that are answered here from those that the API server has to answer. */
export class RequestPlace {
  readonly #options: RequestPlaceOptions;

  constructor(options: RequestPlaceOptions) {
    this.#options = options;
  }

  /**
   * Whether a request for a resource is answered here: reads of what the pool shares, of an object that the node has, of the
   * node's own pods. What is read for it is then in memory, and its kind is known.
   * @throws StatusError BadRequest for a field selector that is none
   */
  async isHere(info: RequestInfo, query: URLSearchParams): Promise<boolean> {
    if (!READS.includes(info.verb) || info.subresource !== '') return false;
    const { pool, objects, registry } = this.#options;
    const shared = pool.resources().get(poolResourceName(info));
    if (shared !== undefined && shared.version !== info.version) return false;
    const { group, resource, name } = info;
    // The path of a namespace has it as its own namespace.
    const namespace = group === '' && resource === 'namespaces' ? '' : info.namespace;
    const selector = query.get('fieldSelector') ?? '';
    if (!objects.serves({ group, resource }, namespace, name, selector)) return false;
    if (shared !== undefined) return true;
    if (info.selectedName !== '') await objects.load({ group, resource, namespace, name: info.selectedName });
    const known = registry.registry.find(group, info.version, resource);
    return known === undefined ? this.#learn(info, namespace) : true;
  }

  /** Whether the node has the object in this version of its kind. */
  #learn({ group, version, resource, selectedName: name }: RequestInfo, namespace: string): boolean {
    const { objects, registry } = this.#options;
    const object = objects.get({ group, resource, namespace, name })?.object;
    if (object?.apiVersion !== (group === '' ? version : `${group}/${version}`)) return false;
    return registry.learn({ group, version, resource, kind: object.kind, namespaced: namespace !== '' });
  }
}
