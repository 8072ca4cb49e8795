import { parseApiVersion } from './group-version.ts';

/** Where the objects of a kind are found. */
export interface ResourceMapping {
  readonly group: string;
  readonly version: string;
  /** Lower-case plural. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/**
 * Leads from kinds to resources and back. Built from what is served; immutable, so that it is made anew when a
 * CustomResourceDefinition comes or goes. Source of the idea: k8s.io/apimachinery meta.RESTMapper.
 */
export class RestMapper {
  readonly #byKind: ReadonlyMap<string, ResourceMapping>;
  readonly #byResource: ReadonlyMap<string, readonly ResourceMapping[]>;

  /** Of a resource served in several versions, the preferred one stands first. */
  constructor(mappings: readonly ResourceMapping[]) {
    this.#byKind = new Map(
      mappings.map((mapping) => [`${mapping.group}/${mapping.version}/${mapping.kind}`, mapping]),
    );
    const byResource = new Map<string, ResourceMapping[]>();
    for (const mapping of mappings) {
      const id = `${mapping.group}/${mapping.resource}`;
      byResource.set(id, [...(byResource.get(id) ?? []), mapping]);
    }
    this.#byResource = byResource;
  }

  /** The resource of an object, from its `apiVersion` and `kind`; undefined: not served, or no apiVersion at all. */
  mappingOf(object: { readonly apiVersion: string; readonly kind: string }): ResourceMapping | undefined {
    if (object.apiVersion.split('/').length > 2) return undefined;
    const { group, version } = parseApiVersion(object.apiVersion);
    return this.#byKind.get(`${group}/${version}/${object.kind}`);
  }

  /** The kind of a resource, in a version or in the preferred one; undefined: not served. */
  kindOf(group: string, resource: string, version?: string): ResourceMapping | undefined {
    const mappings = this.#byResource.get(`${group}/${resource}`) ?? [];
    return version === undefined ? mappings[0] : mappings.find((mapping) => mapping.version === version);
  }

  /** The preferred mapping of a kind, whatever version is served; undefined: none is. */
  preferred(group: string, kind: string): ResourceMapping | undefined {
    for (const [mapping] of this.#byResource.values()) {
      if (mapping?.group === group && mapping.kind === kind) return mapping;
    }
    return undefined;
  }
}
