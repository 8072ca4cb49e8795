import type { ResourceDefinition } from '../registry/definition.ts';
import { collectionPath, WRITE_PARAMETERS } from './paths.ts';
import { addSchemas, schemaName, type Schemas } from './v3-schemas.ts';

/**
 * The OpenAPI v3 document of one group version: what kubectl needs to explain kinds and to know that the server
 * validates fields. Strategic merge patches are left out of it: then kubectl merges by the rules it was built with.
 */
export function openApiV3(definitions: readonly ResourceDefinition[], version: string): object {
  const schemas: Schemas = {};
  const paths: Record<string, object> = {};
  for (const definition of definitions) {
    addSchemas(schemas, definition);
    const path = collectionPath(definition);
    const collection = operations(definition, { get: 'list', post: 'create' });
    if (Object.keys(collection).length > 0) paths[path] = collection;
    const item = operations(definition, { get: 'get', put: 'update', patch: 'patch', delete: 'delete' });
    if (Object.keys(item).length > 0) paths[`${path}/{name}`] = item;
  }
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version }, paths, components: { schemas } };
}

const PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json'];

function operations(
  definition: ResourceDefinition,
  methods: Readonly<Record<string, string>>,
): Record<string, object> {
  const { group, version, kind, verbs } = definition;
  const schema = { $ref: `#/components/schemas/${schemaName(definition)}` };
  const found: Record<string, object> = {};
  for (const [method, verb] of Object.entries(methods)) {
    if (!verbs.includes(verb)) continue;
    const types = method === 'patch' ? PATCH_TYPES : ['application/json'];
    const content = Object.fromEntries(
      types.map((type) => [type, { schema: method === 'patch' ? {} : schema }]),
    );
    const writes = method === 'post' || method === 'put' || method === 'patch';
    found[method] = {
      ...(writes ? { parameters: WRITE_PARAMETERS.map(queryParameter), requestBody: { content } } : {}),
      responses: { 200: { description: 'OK', content: { 'application/json': { schema } } } },
      'x-kubernetes-action': verb,
      'x-kubernetes-group-version-kind': { group, version, kind },
    };
  }
  return found;
}

function queryParameter(name: string): object {
  return { name, in: 'query', schema: { type: name === 'force' ? 'boolean' : 'string' } };
}
