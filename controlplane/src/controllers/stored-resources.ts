import type { ApiResource, GroupResource, Registry } from '@hawser/kube';

/** A resource that is kept in the store, with the version in which the API is asked about it. */
export interface StoredResource extends ApiResource {
  readonly storage: GroupResource;
}

/** Every resource that is stored, watched and deleted, once each, whatever the versions it is served in. */
export function storedResources(registry: Registry): StoredResource[] {
  const found = new Map<string, StoredResource>();
  for (const { group, version, resource, kind, namespaced, storage, action, verbs } of registry.all()) {
    if (action !== undefined || !verbs.includes('delete') || !verbs.includes('watch')) continue;
    const id = `${storage.group}/${storage.resource}`;
    if (!found.has(id)) found.set(id, { group, version, resource, kind, namespaced, storage });
  }
  return [...found.values()];
}
