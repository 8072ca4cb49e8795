import { badRequest } from '../../status/status-errors.ts';
import type { Draft } from '../draft.ts';
import type { ResourceDefinition } from '../registry/definition.ts';

/**
 * Compares name and namespace of a body with those of the URL, and fills in the namespace. `name` undefined: the
 * request creates.
 * Source: k8s.io/apiserver endpoints/handlers checkName, registry/rest EnsureObjectNamespaceMatchesRequestNamespace.
 * @throws StatusError BadRequest.
 */
export function checkNames(
  definition: ResourceDefinition,
  draft: Draft,
  url: { namespace: string; name: string | undefined },
): void {
  const { metadata } = draft;
  if (url.name !== undefined) {
    const { name = '' } = metadata;
    if (name === '') {
      throw badRequest(
        `the name of the object (${url.name} based on URL) was undeterminable: name must be provided`,
      );
    }
    if (name !== url.name) {
      throw badRequest(`the name of the object (${name}) does not match the name on the URL (${url.name})`);
    }
  }
  const { namespace = '' } = metadata;
  if (!definition.namespaced) {
    delete metadata.namespace;
    if (namespace === '') return;
  } else if (namespace === '' || namespace === url.namespace) {
    metadata.namespace = url.namespace;
    return;
  }
  throw badRequest(
    url.name === undefined
      ? 'the namespace of the provided object does not match the namespace sent on the request'
      : `the namespace of the object (${namespace}) does not match the namespace on the URL (${url.namespace})`,
  );
}
