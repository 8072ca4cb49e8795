import {
  builtInResources,
  readOnlyResource,
  Registry,
  reviewResources,
  schemalessResource,
  type ResourceDefinition,
} from '@hawser/kube';
import type { PoolResource } from '@hawser/sync';

/** What nodes have of their own, beside what a pool shares. */
const OWN: readonly string[] = [
  ...['pods', 'nodes', 'configmaps', 'secrets', 'serviceaccounts', 'persistentvolumes'],
  'persistentvolumeclaims',
];
/** Kinds of the node's own objects, such as devices, that are learnt from the objects themselves. */
const MAX_LEARNT = 64;

/**
 * What the local API has definitions of: what the pool shares, what nodes have of their own, and the reviews. Those of
 * Kubernetes itself print as at an API server; of others only the names are known.
 */
export class LocalRegistry {
  readonly registry = new Registry();
  readonly #builtIn: ReadonlyMap<string, ResourceDefinition>;
  readonly #learnt = new Set<string>();
  #shared = '';

  constructor() {
    const all = builtInResources();
    this.#builtIn = new Map(all.map((definition) => [keyOf(definition), definition]));
    const own = all.filter(({ group, resource }) => group === '' && OWN.includes(resource));
    this.registry.add([...own.map(readOnlyResource), ...reviewResources()]);
  }

  /** Takes what the pool shares now. */
  share(resources: Iterable<PoolResource>): void {
    const shared = [...resources];
    const text = JSON.stringify(shared);
    if (text === this.#shared) return;
    const had = this.#shared === '' ? [] : (JSON.parse(this.#shared) as PoolResource[]); // as below
    this.#shared = text;
    for (const { group, resource } of had) this.registry.remove(group, resource);
    this.registry.add(shared.map((resource) => this.#definition(resource)));
    // One that a pool has shared for a while may be among those that every node has.
    this.registry.add(
      [...this.#builtIn.values()]
        .filter(({ group, version, resource }) => {
          return group === '' && OWN.includes(resource) && !this.registry.find(group, version, resource);
        })
        .map(readOnlyResource),
    );
  }

  /** Knows this resource from now on, too; false: it knows too many already. */
  learn(resource: PoolResource): boolean {
    if (this.#learnt.size >= MAX_LEARNT) return false;
    this.#learnt.add(keyOf(resource));
    this.registry.add([this.#definition(resource)]);
    return true;
  }

  #definition(resource: PoolResource): ResourceDefinition {
    const known = this.#builtIn.get(keyOf(resource));
    return known === undefined ? schemalessResource(resource) : readOnlyResource(known);
  }
}

function keyOf({
  group,
  version,
  resource,
}: {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}): string {
  return `${group}/${version}/${resource}`;
}
