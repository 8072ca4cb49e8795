import { isPlainObject, type JsonObject } from '../meta/json.ts';
import { fieldChild, fieldIndex } from '../status/field-error.ts';
import { itemsOf, memberOf, type JsonSchema } from './json-schema.ts';

/** An object without the fields that its schema does not know. */
export interface Pruned {
  readonly object: JsonObject;
  /** Paths of what was left out, sorted, e.g. `spec.parts[1].zz`. */
  readonly unknownFields: readonly string[];
}

/** What every resource has, whatever its schema says. */
const RESOURCE_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Leaves out what the schema does not know, but for what is below `x-kubernetes-preserve-unknown-fields`, and the
 * type and metadata of resources, embedded ones included. `object` is a whole resource.
 * Source: apiextensions-apiserver schema/pruning.
 */
export function prune(object: JsonObject, schema: JsonSchema): Pruned {
  const unknownFields: string[] = [];
  const pruned = pruneObject(
    object,
    { ...schema, 'x-kubernetes-embedded-resource': true },
    '',
    unknownFields,
  );
  return { object: pruned, unknownFields: unknownFields.sort() };
}

function pruneValue(
  value: unknown,
  schema: JsonSchema | undefined,
  path: string,
  unknown: string[],
): unknown {
  if (Array.isArray(value)) {
    const items = schema === undefined ? undefined : itemsOf(schema);
    if (items === undefined && preserves(schema)) return value;
    return value.map((item, index) => pruneValue(item, items, fieldIndex(path, index), unknown));
  }
  return isPlainObject(value) ? pruneObject(value, schema, path, unknown) : value;
}

function pruneObject(
  value: JsonObject,
  schema: JsonSchema | undefined,
  path: string,
  unknown: string[],
): JsonObject {
  const kept: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const known = schema === undefined ? undefined : memberOf(schema, key);
    const memberPath = fieldChild(path, key);
    if (schema?.['x-kubernetes-embedded-resource'] === true && RESOURCE_FIELDS.has(key))
      kept.push([key, member]);
    else if (known !== undefined) kept.push([key, pruneValue(member, known, memberPath, unknown)]);
    else if (preserves(schema)) kept.push([key, member]);
    else if (schema?.additionalProperties === true) {
      kept.push([key, pruneValue(member, undefined, memberPath, unknown)]);
    } else unknown.push(memberPath);
  }
  return Object.fromEntries(kept);
}

function preserves(schema: JsonSchema | undefined): boolean {
  return schema?.['x-kubernetes-preserve-unknown-fields'] === true;
}
