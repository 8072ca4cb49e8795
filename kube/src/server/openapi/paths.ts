import { apiVersionOf, type ResourceDefinition } from '../registry/definition.ts';

/** Query parameters that writes take; kubectl looks for them before it relies on them. */
export const WRITE_PARAMETERS = ['pretty', 'dryRun', 'fieldManager', 'fieldValidation', 'force'] as const;

/** The URL of a resource's collection, with `{namespace}`. */
export function collectionPath(definition: ResourceDefinition): string {
  const { group, namespaced, resource } = definition;
  const root = `${group === '' ? '/api' : '/apis'}/${apiVersionOf(definition)}`;
  return namespaced ? `${root}/namespaces/{namespace}/${resource}` : `${root}/${resource}`;
}
