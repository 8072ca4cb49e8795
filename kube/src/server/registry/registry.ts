import { apiVersionOf, type ResourceDefinition, type SubresourceDefinition } from './definition.ts';

/** One version of a group and what it serves. */
export interface ServedVersion {
  readonly version: string;
  /** In order of their names. */
  readonly resources: readonly ResourceDefinition[];
}

/** A group with its versions, the preferred one first. */
export interface ServedGroup {
  readonly name: string;
  readonly versions: readonly ServedVersion[];
}

/**
 * What the server serves: the built-in resources, and those that come and go with CustomResourceDefinitions.
 * `revision` rises with every change; whoever keeps something derived compares it.
 */
export class Registry {
  readonly #definitions = new Map<string, ResourceDefinition>();
  readonly #listeners = new Set<() => void>();
  #groups: readonly ServedGroup[] | undefined;
  #revision = 0;

  /** Rises with every change. */
  get revision(): number {
    return this.#revision;
  }

  /** Calls after each change. Answers how to stop. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds definitions; one of the same group, version and resource is replaced. */
  add(definitions: readonly ResourceDefinition[]): void {
    for (const definition of definitions) this.#definitions.set(keyOf(definition), definition);
    this.#changed();
  }

  /** Takes all versions of a resource away, and adds others in their place, in one step. */
  replace(group: string, resource: string, definitions: readonly ResourceDefinition[]): void {
    this.#drop(group, resource);
    this.add(definitions);
  }

  /** Takes all versions of a resource away. */
  remove(group: string, resource: string): void {
    this.#drop(group, resource);
    this.#changed();
  }

  #drop(group: string, resource: string): void {
    for (const [key, definition] of this.#definitions) {
      if (definition.group === group && definition.resource === resource) this.#definitions.delete(key);
    }
  }

  /** The definition that serves a path, if there is one. */
  find(group: string, version: string, resource: string): ResourceDefinition | undefined {
    return this.#definitions.get(keyOf({ group, version, resource }));
  }

  /** The definition of a kind in any resource, e.g. to know whether a kind exists. */
  findKind(apiVersion: string, kind: string): ResourceDefinition | undefined {
    for (const definition of this.#definitions.values()) {
      if (definition.kind === kind && apiVersionOf(definition) === apiVersion) return definition;
    }
    return undefined;
  }

  /** Every definition. */
  all(): ResourceDefinition[] {
    return [...this.#definitions.values()];
  }

  /** Groups in order of their first registration; the core group is `''`. */
  groups(): readonly ServedGroup[] {
    this.#groups ??= this.#collect();
    return this.#groups;
  }

  /** One group. */
  group(name: string): ServedGroup | undefined {
    return this.groups().find((group) => group.name === name);
  }

  #changed(): void {
    this.#revision += 1;
    this.#groups = undefined;
    for (const listener of this.#listeners) listener();
  }

  #collect(): ServedGroup[] {
    const groups = new Map<string, Map<string, ResourceDefinition[]>>();
    for (const definition of this.#definitions.values()) {
      const versions = groups.get(definition.group) ?? new Map<string, ResourceDefinition[]>();
      groups.set(definition.group, versions);
      const resources = versions.get(definition.version) ?? [];
      versions.set(definition.version, resources);
      resources.push(definition);
    }
    return [...groups].map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, resources]) => ({
          version,
          resources: resources.sort((a, b) => (a.resource < b.resource ? -1 : 1)),
        })),
    }));
  }
}

function keyOf({ group, version, resource }: { group: string; version: string; resource: string }): string {
  return `${group}/${version}/${resource}`;
}

/** The subresource of that name. */
export function subresourceOf(
  definition: ResourceDefinition,
  name: string,
): SubresourceDefinition | undefined {
  return definition.subresources.find((subresource) => subresource.name === name);
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

/**
 * Orders versions, best first: GA before beta before alpha, then higher numbers, then what is no such version by name.
 * Source: k8s.io/apimachinery version.CompareKubeAwareVersionStrings.
 */
export function compareVersions(a: string, b: string): number {
  const left = rank(a);
  const right = rank(b);
  for (let index = 0; index < left.length; index += 1) {
    const difference = (right[index] ?? 0) - (left[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function rank(version: string): number[] {
  const match = VERSION.exec(version);
  if (match === null) return [0, 0, 0];
  const [, major = '0', stage, minor = '0'] = match;
  return [stage === undefined ? 3 : stage === 'beta' ? 2 : 1, Number(major), Number(minor)];
}
