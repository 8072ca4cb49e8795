import type { KubeObject } from '../../meta/object.ts';
import { methodNotAllowed } from '../../status/status-errors.ts';
import { nameAndAgePrinter } from '../table/default-printer.ts';
import type { ResourceDefinition } from './definition.ts';

/** The verbs of a resource that is only shown. */
export const READ_VERBS: readonly string[] = ['get', 'list', 'watch'];

/** What is known of a resource whose definition is somewhere else. */
export interface SchemalessResource {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Lower-case plural. */
  readonly resource: string;
  readonly namespaced: boolean;
}

/** A resource that is read as it is kept: for servers that show objects of kinds of which they know but the name. */
export function schemalessResource(spec: SchemalessResource): ResourceDefinition {
  const { group, version, kind, resource, namespaced } = spec;
  return {
    ...{ group, version, kind, resource, namespaced },
    listKind: `${kind}List`,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: READ_VERBS,
    subresources: [],
    storageVersionHash: undefined,
    storage: { group, resource },
    codec: {
      decode: () => {
        throw methodNotAllowed();
      },
      servesStored: true,
      encode: (object: KubeObject) => object,
    },
    strategy: {},
    fieldNames: [],
    fields: () => ({}),
    table: nameAndAgePrinter,
    custom: true,
    deprecationWarning: undefined,
    action: undefined,
    struct: undefined,
    openApiSchema: undefined,
  };
}

/** The same resource, only shown: without what writes, and without its parts. */
export function readOnlyResource(definition: ResourceDefinition): ResourceDefinition {
  return { ...definition, verbs: READ_VERBS, subresources: [], storageVersionHash: undefined };
}
